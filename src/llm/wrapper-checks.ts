import {
  boolean,
  type Checks,
  either,
  fn,
  group,
  integer,
  join,
  list,
  object,
  string,
  text,
  whole,
} from '../checks.ts';
import { isParent } from '../trace/scope.ts';

const much = /* @__PURE__ */ either(boolean, whole);
/** The option `capture`, wherever it is. */
export const capture = /* @__PURE__ */ group({ inputs: much, outputs: much });

/** What every wrapper that makes a span may be told. */
export const spanChecks: Checks = {
  name: string,
  attributes: object,
  parent: { allowed: 'a span or a context', test: isParent },
  kind: /* @__PURE__ */ integer(0, 4),
  links: /* @__PURE__ */ list(object),
  capture,
};
/** What those of some types may be told. */
export const workChecks: Readonly<Record<string, Checks>> = {
  tool: /* @__PURE__ */ join(spanChecks, { description: text }),
  retrieval: /* @__PURE__ */ join(spanChecks, { count: fn }),
};
