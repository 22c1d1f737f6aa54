import { safely } from '../errors.ts';
import type { StreamObserver } from './value-stream.ts';

/** Helpers as `client.messages.stream()`: they read by themselves, and tell their listeners. */
interface Emitter {
  on(event: string, listener: (...args: unknown[]) => void): unknown;
  done(): Promise<unknown>;
  readonly aborted: boolean;
  readonly errored: boolean;
}

const finals = ['finalMessage', 'finalChatCompletion', 'finalResponse'];
/** What was read, by the names that the helpers have for it. */
const itemEvents = ['streamEvent', 'chunk', 'event'];
/** Of those that go on by themselves, as `runTools()`: each answer of the model. */
const replyEvent = 'chatCompletion';

function isEmitter(value: object): value is Emitter {
  const has = (name: string) => typeof (value as Record<string, unknown>)[name] === 'function';
  return has('on') && has('done') && finals.some(has) && (value as { ended?: unknown }).ended !== true;
}

/** Listens to a helper; `false` where it is none, or is at its end. */
export function watchEmitter(value: object, { pull, item, reply, end }: StreamObserver): boolean {
  if (
    !safely(
      () => isEmitter(value),
      () => {},
    )
  )
    return false;
  const emitter = value as Emitter;
  // Nobody listens for `error` here: a listener would keep a failure that nobody handles from being told.
  for (const event of itemEvents) emitter.on(event, item);
  if (reply) emitter.on(replyEvent, reply);
  pull();
  emitter.on('end', () => {
    if (emitter.aborted) end({ left: true });
    // Its promise is settled by now, and who should hear of a failure has been told.
    else if (emitter.errored) {
      emitter.done().then(
        () => end({}),
        (thrown: unknown) => end({ thrown }),
      );
    } else end({});
  });
  return true;
}
