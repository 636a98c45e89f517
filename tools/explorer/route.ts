// Where a reader is: the part of the address behind #, so that the page's paths and those of the API never meet. Pure.

export interface Place {
  readonly page: string;
  readonly parts: readonly string[];
}

export const FIRST_PAGE = "chains";

export function placeOf(hash: string): Place {
  const [page, ...parts] = hash
    .replace(/^#?\/?/, "")
    .split("/")
    .filter((part) => part !== "")
    .map(decoded);
  return { page: page ?? FIRST_PAGE, parts };
}

/** A number in such an address; undefined where it is none. */
export function numberOf(part: string | undefined): number | undefined {
  return part !== undefined && /^[0-9]{1,15}$/.test(part) ? Number(part) : undefined;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** What an address says behind its page as names, each followed by its value. */
export function pairsOf({ parts }: Place): Readonly<Record<string, string>> {
  const pairs: Record<string, string> = {};
  for (let index = 0; index + 1 < parts.length; index += 2) pairs[parts[index]!] = parts[index + 1]!;
  return pairs;
}
