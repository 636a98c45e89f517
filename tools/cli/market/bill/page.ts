// A printable page of bills: HTML without script or anything from elsewhere. Text is text, never markup.

import { secondText } from "../../../terminal/output.js";
import { energyText, moneyText } from "../arguments.js";
import type { SealedBill } from "./read.js";

/** What stands in the state is a green part of the community and a grey one of the supplier. */
const style = `body{font:11pt sans-serif;margin:2em auto;max-width:50em}section{break-after:page}
table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #999;padding:.3em;text-align:left}
td.n,th.n{text-align:right}tr.sum{font-weight:bold}.bar{display:flex;height:1em}.own{background:#2a7}.rest{background:#639}
small{color:#555}`;

const words = { covered: "from the community", shared: "to the community", fee: "fee" } as const;

export function billPage(bills: readonly SealedBill[]): string {
  const title = text(bills[0]?.name ?? "Bills");
  const head = `<head><meta charset="utf-8"><title>${title}</title><style>${style}</style></head>`;
  return `<!doctype html>\n<html lang="en">${head}\n<body>\n${bills.map(section).join("\n")}\n</body></html>\n`;
}

function section(bill: SealedBill): string {
  const [begin, end] = bill.period;
  const until = end === null ? "now" : secondText(end);
  const rows = bill.lines.map(([what, energy, price, amount, ...counts]) => {
    const [slots, estimated, missing, first, last, low, high] = counts;
    const from = `${slots} slots, ${secondText(first)} to ${secondText(last)}, in blocks ${low} to ${high}`;
    const quality = `${estimated} estimated, ${missing} missing`;
    const kWh = energy === null ? "" : energyText(energy as number | bigint);
    const numbers = [kWh, moneyText(price), moneyText(amount as number | bigint)];
    const cells = numbers.map((number) => `<td class="n">${number}</td>`).join("");
    return `<tr><td>${words[what]}<br><small>${from}; ${quality}</small></td>${cells}</tr>`;
  });
  const heads = ["kWh", "a kWh", "amount"].map((head) => `<th class="n">${head}</th>`).join("");
  return `<section><h1>${text(bill.name)}</h1>
<p>Point ${text(bill.point)}, owner ${text(bill.owner)}<br>${secondText(begin)} to ${until}, ${text(bill.kind)} ${bill.number}</p>
${bar(bill)}
<table><tr><th></th>${heads}</tr>
${rows.join("\n")}
<tr class="sum"><td>${bill.amount < 0 ? "to be paid to you" : "to pay"}</td><td></td><td></td><td class="n">${moneyText(bill.amount)}</td></tr></table>
<p><small>Sealed in block ${bill.height} as effect ${bill.index}. In the small print stand the slots that each line adds up.</small></p></section>`;
}

/** How much of what is consumed the community has covered, and the supplier. */
function bar({ consumed, lines }: SealedBill): string {
  const total = BigInt(consumed);
  if (total <= 0n) return "";
  const covered = lines.reduce(
    (sum, [what, energy]) => (what === "covered" ? sum + BigInt(energy as number) : sum),
    0n,
  );
  const percent = Number((100n * covered) / total);
  const parts = `<div class="own" style="width:${percent}%"></div><div class="rest" style="width:${100 - percent}%"></div>`;
  const rest = energyText(total - covered);
  return `<p>${energyText(consumed)} kWh consumed, of which ${energyText(covered)} kWh from the community and ${rest} kWh from the supplier</p><div class="bar">${parts}</div>`;
}

function text(value: string): string {
  return value.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
