/** The little of Deno that the adapter calls by name. */
interface DenoGlobal {
  readonly env: { toObject(): Record<string, string>; get(name: string): string | undefined };
  readonly permissions: { querySync(of: { name: 'env'; variable: string }): { readonly state: string } };
  readonly pid: number;
  readTextFileSync(path: string): string;
  kill(pid: number, signal: string): void;
  addSignalListener(signal: string, listener: () => void): void;
  removeSignalListener(signal: string, listener: () => void): void;
  unrefTimer(id: number): void;
  serve(
    options: { port: number; hostname: string; onListen(): void },
    handler: (request: Request) => Promise<Response>,
  ): { readonly addr: { readonly port: number }; shutdown(): Promise<void> };
}

export const { Deno } = globalThis as unknown as { Deno: DenoGlobal };
