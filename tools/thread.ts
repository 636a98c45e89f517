// Starts another of the program's modules in a thread, built or not.

import { pathToFileURL } from "node:url";
import { Worker, type WorkerOptions } from "node:worker_threads";
import { modulePath } from "./module-path.js";

/** A thread of the module, named as for `modulePath`. */
export function startThread(name: string, options: WorkerOptions): Worker {
  const path = modulePath(name);
  if (!path.endsWith(".ts")) return new Worker(path, options);
  // From the sources: a thread has no loader for them unless it registers one itself.
  const [loader, module] = [import.meta.resolve("tsx/esm/api"), pathToFileURL(path).href].map((url) =>
    JSON.stringify(url),
  );
  const code = `import(${loader}).then(({ register }) => { register(); return import(${module}); });`;
  return new Worker(code, { ...options, eval: true });
}
