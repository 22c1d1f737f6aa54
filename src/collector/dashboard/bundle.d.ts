/** The page as its build leaves it: scripts/dashboard.ts. */
declare module '*?bundle' {
  export const html: string;
  export const script: string;
  export const style: string;
  /** Changes with any of them. */
  export const version: string;
}
