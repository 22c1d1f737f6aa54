import type { Route } from './route.ts';

/** What a view asks of the page around it. */
export interface Shell {
  /** Changes the address; `replace` leaves no step to go back to. */
  go(route: Route, replace?: boolean): void;
  askForKey(): void;
}

/** One of the page's views. It is made once and stays, so that coming back to it finds it as it was. */
export interface View<R extends Route> {
  readonly element: HTMLElement;
  title(): string;
  /** With each change of the address as long as it is this view's. */
  show(route: R): void;
  hide(): void;
  /** Whether the key meant something here. */
  press(key: string): boolean;
}
