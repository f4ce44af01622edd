import type { Problem } from "@/api/types";

/** The server answered, and it was not what we asked for. */
export class ApiError extends Error {
  readonly status: number;
  readonly detail: string;
  readonly requestId: string | null;

  constructor(status: number, problem: Partial<Problem>) {
    super(problem.title ?? `The shop answered ${status}`);
    this.name = "ApiError";
    this.status = status;
    this.detail = problem.detail ?? "";
    this.requestId = problem.request_id ?? null;
  }
}

/** The server did not answer at all. */
export class UnreachableError extends Error {
  constructor(cause: unknown) {
    super("The shop cannot be reached", { cause });
    this.name = "UnreachableError";
  }
}

export type Fetch = typeof fetch;

async function readProblem(response: Response): Promise<Partial<Problem>> {
  try {
    return (await response.json()) as Partial<Problem>;
  } catch {
    return {};
  }
}

/** Sends a request; raises what tells why there is no good answer. */
export async function ask(fetcher: Fetch, path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetcher(path, init);
  } catch (cause) {
    if (init.signal?.aborted) throw cause;
    throw new UnreachableError(cause);
  }
  if (!response.ok) throw new ApiError(response.status, await readProblem(response));
  return response;
}

export const JSON_HEADERS = { "content-type": "application/json" };
