declare namespace Cloudflare {
  interface Env {
    OPENAI_API_KEY: string;
    OTLP_ENDPOINT: string;
    JOBS: Queue<{ prompt: string; trace: Record<string, string> }>;
    ROOM: DurableObjectNamespace;
  }
}
interface Env extends Cloudflare.Env {}
