import process from 'node:process';

/** Prints how many milliseconds the import of the module that it is given takes. */
const start = performance.now();
await import(process.argv[2]!);
console.log(performance.now() - start);
