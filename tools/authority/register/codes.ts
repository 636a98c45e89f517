// Check characters of the codes that name organisations, so that a mistyped one is refused at the door.

/** Energy Identification Code: ENTSO-E, EIC reference manual, 16 characters with a check character by modulus 37. */
export function isEic(text: string): boolean {
  if (!/^[0-9A-Z-]{15}[0-9A-Z]$/.test(text)) return false;
  let sum = 0;
  for (let place = 0; place < 15; place += 1) sum += eicValue(text[place]!) * (16 - place);
  return eicValue(text[15]!) === 36 - ((sum + 36) % 37);
}

/** Global Location Number: GS1 General Specifications, 13 digits with a check digit by modulus 10. */
export function isGln(text: string): boolean {
  if (!/^[0-9]{13}$/.test(text)) return false;
  let sum = 0;
  for (let place = 0; place < 13; place += 1) sum += Number(text[place]) * (place % 2 === 0 ? 1 : 3);
  return sum % 10 === 0;
}

function eicValue(character: string): number {
  if (character === "-") return 36;
  return /[0-9]/.test(character) ? Number(character) : character.charCodeAt(0) - 55;
}
