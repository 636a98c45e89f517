// What a reader has chosen, kept in this browser alone: language, light or dark, and the genesis that the reader has pinned.

import { type Language, languages } from "./texts.js";

export type Theme = "system" | "light" | "dark";
export const themes: readonly Theme[] = ["system", "light", "dark"];

export function storedLanguage(): Language {
  const wanted = [read("language"), ...navigator.languages].flatMap((name) => name?.slice(0, 2) ?? []);
  return wanted.find((name): name is Language => Object.hasOwn(languages, name)) ?? "en";
}

export function storedTheme(): Theme {
  return themes.find((theme) => theme === read("theme")) ?? "system";
}

export function useThemeOf(theme: Theme): void {
  const { dataset } = document.documentElement;
  if (theme === "system") delete dataset.theme;
  else dataset.theme = theme;
}

/** Hash of the genesis, in hex. */
export function pinnedGenesis(): string | undefined {
  return read("genesis");
}

/** Nothing is kept where the browser keeps nothing. */
export function store(name: "language" | "theme" | "genesis", value: string | undefined): void {
  try {
    if (value === undefined) localStorage.removeItem(`gridseal-${name}`);
    else localStorage.setItem(`gridseal-${name}`, value);
  } catch {
    // It is asked again next time.
  }
}

function read(name: string): string | undefined {
  try {
    return localStorage.getItem(`gridseal-${name}`) ?? undefined;
  } catch {
    return undefined;
  }
}
