// Types of the operations that the community contract takes (PROTOCOL.md, section 4).

export const operationTypes = {
  found: 256,
  terms: 257,
  periods: 258,
  owners: 259,
  invite: 260,
  join: 261,
  leave: 262,
  correct: 263,
  bill: 264,
} as const;
