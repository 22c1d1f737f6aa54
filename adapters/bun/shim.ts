/** The little of Bun that the adapter calls by name. */
interface BunGlobal {
  readonly env: Record<string, string | undefined>;
  inspect(value: unknown): string;
  serve(options: { port: number; hostname: string; fetch(request: Request): Response | Promise<Response> }): {
    readonly port: number;
    stop(closeActive?: boolean): Promise<void>;
  };
}

export const { Bun } = globalThis as unknown as { Bun: BunGlobal };
