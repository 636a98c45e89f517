// Texts of the frame and the first pages, a line each: English, German, Chinese. {name} is filled in. texts/ has those of the pages behind
// them, which are added when somebody goes there.

import type { pageTexts } from "./texts/pages.js";

export const languages = { en: "English", de: "Deutsch", zh: "中文" } as const;
export type Language = keyof typeof languages;

const texts = {
  // the frame
  "app.promise": [
    "Meters sign what they read, nodes seal it, and your browser checks it here.",
    "Zähler signieren, was sie messen, Knoten versiegeln es, und Ihr Browser prüft es hier.",
    "电表签名其读数，节点封存，您的浏览器在此验证。",
  ],
  "app.skip": ["Skip to content", "Zum Inhalt", "跳到正文"],
  "app.search": ["Search", "Suchen", "搜索"],
  "app.searchHint": [
    "id, hash, height, chain:height, point",
    "ID, Hash, Höhe, Kette:Höhe, Messpunkt",
    "标识、哈希、高度、链:高度、计量点",
  ],
  "app.language": ["Language", "Sprache", "语言"],
  "app.theme": ["Light or dark", "Hell oder dunkel", "浅色或深色"],
  "app.pages": ["Pages", "Seiten", "页面"],
  "app.network": ["network {network}", "Netz {network}", "网络 {network}"],
  "app.testNetwork": [
    "A test network: nothing here counts outside it.",
    "Ein Testnetz: nichts hier gilt außerhalb davon.",
    "测试网络：此处的一切在其外均无效。",
  ],
  "app.genesis": ["genesis {hash}", "Genesis {hash}", "创世 {hash}"],
  "app.genesisTold": [
    "This node names the genesis. Compare its hash with the one that your utility gives you, and pin it.",
    "Diesen Genesis nennt der Knoten. Vergleichen Sie den Hash mit dem Ihres Versorgers und heften Sie ihn an.",
    "此创世由该节点提供。请与电力公司给出的哈希比对，然后固定。",
  ],
  "app.genesisPinned": ["pinned in this browser", "in diesem Browser angeheftet", "已固定在此浏览器"],
  "app.genesisOther": [
    "This node serves another network than the one that is pinned in this browser. Nothing here is to be trusted.",
    "Dieser Knoten zeigt ein anderes Netz als das angeheftete. Nichts hier ist zu glauben.",
    "此节点提供的网络与固定的不同，内容不可信。",
  ],
  "app.pin": ["Pin", "Anheften", "固定"],
  "app.unpin": ["Unpin", "Lösen", "取消固定"],
  "app.open": [
    "Nobody has to sign in at this node: its API answers whoever reaches it, as in the demo. Elsewhere nodes ask for a token.",
    "An diesem Knoten meldet sich niemand an: seine API antwortet jedem, der sie erreicht, wie in der Demo. Anderswo verlangen Knoten ein Token.",
    "此节点无需登录：如演示中一样，其接口对所有访问者开放。其他节点会要求令牌。",
  ],
  "app.closed": [
    "This node shows its chains to nodes and regulators. Paste a session token: gridseal session token makes one.",
    "Dieser Knoten zeigt seine Ketten Knoten und Aufsehern. Fügen Sie ein Sitzungstoken ein: gridseal session token macht eines.",
    "此节点仅向节点和监管者展示链。请粘贴会话令牌：gridseal session token 可生成。",
  ],
  "app.token": ["Session token", "Sitzungstoken", "会话令牌"],
  "app.show": ["Show it", "Vorzeigen", "出示"],
  "app.loading": ["is asked for", "wird geholt", "正在获取"],
  "app.failed": ["This cannot be shown: {reason}", "Das lässt sich nicht zeigen: {reason}", "无法显示：{reason}"],
  "app.back": ["Go back", "Zurück", "返回"],
  "app.live": ["live", "live", "实时"],
  "app.lost": ["not connected: {reason}", "nicht verbunden: {reason}", "未连接：{reason}"],
  "app.nothing": ["There is nothing yet.", "Noch ist nichts da.", "暂无内容。"],
  "app.utc": ["{time} UTC", "{time} UTC", "{time} UTC"],
  "app.more": ["More", "Mehr", "更多"],
  // pages
  "page.chains": ["Chains", "Ketten", "链"],
  "page.meters": ["Meters", "Zähler", "电表"],
  "page.receipt": ["Receipt", "Quittung", "收据"],
  "page.violations": ["Violations", "Verstöße", "违规"],
  "page.contracts": ["Contracts", "Verträge", "合约"],
  "page.energy": ["My energy", "Meine Energie", "我的电量"],
  "page.orders": ["Orders", "Anordnungen", "指令"],
  "page.health": ["Health", "Zustand", "健康"],
  "page.community": ["Community", "Gemeinschaft", "社区"],
  "page.market": ["Market", "Markt", "市场"],
  "page.grid": ["Grid", "Netz", "电网"],
  "page.credit": ["Credit", "Bonität", "信用"],
  "page.access": ["Access", "Zugriff", "访问"],
  "page.studies": ["Studies", "Studien", "研究"],
  "page.bills": ["Bills", "Rechnungen", "账单"],
  "page.state": ["State", "Zustand der Verträge", "合约状态"],
  "page.sign": ["Sign", "Signieren", "签名"],
  "page.flash": ["Flash a board", "Platine bespielen", "烧录电路板"],
  "page.unknown": ["There is no such page.", "Diese Seite gibt es nicht.", "没有该页面。"],
  // what is known of a figure
  "mark.verified": ["verified here", "hier geprüft", "已在此验证"],
  "mark.sealed": ["sealed by a quorum", "vom Quorum versiegelt", "法定多数封存"],
  "mark.ground": ["against genesis {genesis}…", "gegen Genesis {genesis}…", "依据创世 {genesis}…"],
  "mark.told": ["told by the node", "vom Knoten gesagt", "节点所述"],
  "mark.wrong": ["wrong", "falsch", "错误"],
  "mark.open": ["not checked yet", "noch nicht geprüft", "尚未验证"],
  "mark.legend": ["What the marks say", "Was die Zeichen sagen", "标记含义"],
  // chains
  "chains.height": ["height {height}", "Höhe {height}", "高度 {height}"],
  "chains.forming": ["{count} waiting", "{count} warten", "{count} 条待封存"],
  "chains.records": ["{count} records", "{count} Datensätze", "{count} 条记录"],
  "chains.violations": ["{count} violations", "{count} Verstöße", "{count} 项违规"],
  "chains.block": [
    "Block {height} of {chain}: {records} records, {state}",
    "Block {height} von {chain}: {records} Datensätze, {state}",
    "{chain} 的区块 {height}：{records} 条记录，{state}",
  ],
  "chains.sealedRecords": ["records sealed", "versiegelte Datensätze", "已封存记录"],
  "chains.blocks": ["blocks", "Blöcke", "区块"],
  "chains.checked": ["blocks verified in this browser", "Blöcke in diesem Browser geprüft", "本浏览器已验证区块"],
  "chains.found": ["violations found", "gefundene Verstöße", "发现的违规"],
  "chains.wrong": ["blocks that are wrong", "falsche Blöcke", "错误区块"],
  // block
  "block.title": ["Block {height} of {chain}", "Block {height} von {chain}", "{chain} 的区块 {height}"],
  "block.before": ["Block before", "Vorheriger", "上一个"],
  "block.after": ["Block after", "Nächster", "下一个"],
  "block.checks": ["What your browser has checked", "Was Ihr Browser geprüft hat", "浏览器的验证结果"],
  "block.header": ["Header", "Kopf", "区块头"],
  "block.time": ["time", "Zeit", "时间"],
  "block.hash": ["hash", "Hash", "哈希"],
  "block.previous": ["block before", "vorheriger Block", "上一区块"],
  "block.root": ["Merkle root", "Merkle-Wurzel", "默克尔根"],
  "block.state": ["state root", "Zustandswurzel", "状态根"],
  "block.judged": ["judged at contracts height", "beurteilt nach Höhe der Verträge", "依据合约链高度"],
  "block.signers": ["sealed by", "versiegelt von", "封存者"],
  "block.round": ["round {round}", "Runde {round}", "第 {round} 轮"],
  "block.anchors": ["names blocks of", "nennt Blöcke von", "引用的区块"],
  "block.records": ["Records", "Datensätze", "记录"],
  "block.outcomes": ["What contracts answered", "Was Verträge antworteten", "合约结果"],
  "block.outcomesTold": [
    "A quorum has sealed these answers. Only a run of the chain from its beginning proves them: gridseal chain audit, or gridseal monitor.",
    "Ein Quorum hat diese Antworten versiegelt. Erst ein Lauf der Kette von Anfang an beweist sie: gridseal chain audit oder gridseal monitor.",
    "这些结果由法定多数封存。只有从头重放整条链才能证明：gridseal chain audit 或 gridseal monitor。",
  ],
  "replay.here": ["Run them here, call by call", "Hier nachspielen, Aufruf für Aufruf", "在此逐次重放"],
  "block.batch": [
    "temporary block {number} of {node}",
    "vorläufiger Block {number} von {node}",
    "{node} 的临时区块 {number}",
  ],
  "block.slots": ["Closed slots", "Geschlossene Abrechnungsintervalle", "已关闭的结算时段"],
  "block.points": ["{count} points", "{count} Messpunkte", "{count} 个计量点"],
  "block.hidden": ["{count} confidential groups", "{count} vertrauliche Gruppen", "{count} 个保密组"],
  // record and receipt
  "record.title": ["Record {seq} of", "Datensatz {seq} von", "记录 {seq}，来自"],
  "record.before": ["Record before", "Vorheriger", "上一条"],
  "record.after": ["Record after", "Nächster", "下一条"],
  "record.says": ["What it says", "Was darin steht", "记录内容"],
  "record.block": ["sealed in block", "versiegelt in Block", "封存于区块"],
  "record.quality": ["time quality {quality}", "Zeitqualität {quality}", "时间质量 {quality}"],
  "record.previous": ["record before", "vorheriger Datensatz", "上一条记录"],
  "record.asks": ["asks, type {type}", "verlangt, Typ {type}", "请求，类型 {type}"],
  "record.hidden": ["confidential", "vertraulich", "保密"],
  "record.disclosed": ["disclosed: {label}", "offengelegt: {label}", "已披露：{label}"],
  "record.saveReceipt": ["Save the receipt", "Quittung speichern", "保存收据"],
  "record.saveRecord": ["Save the record", "Datensatz speichern", "保存记录"],
  "receipt.drop": [
    "Drop files here, or choose them",
    "Dateien hier ablegen oder auswählen",
    "将文件拖到此处或选择文件",
  ],
  "receipt.kinds": [
    "a receipt and its record, the proof of a slot or of a contract's state, a genesis",
    "eine Quittung und ihr Datensatz, der Nachweis eines Intervalls oder eines Vertragszustands, ein Genesis",
    "收据及其记录、时段或合约状态的证明、创世文件",
  ],
  "receipt.stays": [
    "They are read in this browser and sent nowhere; this works without a connection.",
    "Sie werden in diesem Browser gelesen und nirgendwohin gesendet; das geht ohne Verbindung.",
    "文件仅在本浏览器中读取，不会发送；离线也可使用。",
  ],
  "receipt.ofNode": [
    "Held against this node's genesis",
    "Gehalten gegen den Genesis dieses Knotens",
    "依据此节点的创世",
  ],
  "receipt.ofFile": [
    "Held against the genesis that you have dropped",
    "Gehalten gegen den Genesis, den Sie abgelegt haben",
    "依据您放入的创世文件",
  ],
  "receipt.unknown": [
    "{name} is no proof of Gridseal.",
    "{name} ist kein Nachweis von Gridseal.",
    "{name} 不是 Gridseal 证明。",
  ],
  "check.took": [
    "{count} checks in {duration} ms",
    "{count} Prüfungen in {duration} ms",
    "{count} 项检查，用时 {duration} 毫秒",
  ],
  "check.receipt": [
    "It reads as a receipt of height {height}, {bytes} bytes",
    "Es liest sich als Quittung der Höhe {height}, {bytes} Bytes",
    "格式为高度 {height} 的收据，{bytes} 字节",
  ],
  "check.network": [
    "It is of network {network}, chain {chain}, whose genesis is {genesis}…",
    "Sie ist vom Netz {network}, Kette {chain}, mit Genesis {genesis}…",
    "属于网络 {network} 链 {chain}，创世 {genesis}…",
  ],
  "check.record": [
    "The record reads as number {seq} of {kid}",
    "Der Datensatz liest sich als Nummer {seq} von {kid}",
    "记录为 {kid} 的第 {seq} 号",
  ],
  "check.sameRecord": [
    "The receipt is for this record, {hash}…",
    "Die Quittung gilt diesem Datensatz, {hash}…",
    "收据对应此记录 {hash}…",
  ],
  "check.holder": [
    "{subject} signed it, whose key the authority certifies",
    "{subject} hat ihn signiert; die Zulassungsstelle beglaubigt den Schlüssel",
    "由 {subject} 签名，其密钥经机构认证",
  ],
  "check.path": [
    "Leaf {leaf} of {size} leads to the root in {steps} steps",
    "Blatt {leaf} von {size} führt in {steps} Schritten zur Wurzel",
    "{size} 个叶子中的第 {leaf} 个经 {steps} 步到达根",
  ],
  "check.lineage": [
    "The genesis leads to its {members} members over {changes} changes",
    "Der Genesis führt über {changes} Änderungen zu ihren {members} Mitgliedern",
    "创世经 {changes} 次变更得到 {members} 名成员",
  ],
  "check.sealed": [
    "{signed} of them signed block {height} of {time} UTC; {quorum} are needed",
    "{signed} davon haben Block {height} von {time} UTC signiert; {quorum} sind nötig",
    "其中 {signed} 名签署了 {time} UTC 的区块 {height}；需要 {quorum} 名",
  ],
  "check.slotForm": [
    "It reads as the proof of a point's slot, {bytes} bytes",
    "Es liest sich als Nachweis eines Messpunkts, {bytes} Bytes",
    "格式为计量点时段证明，{bytes} 字节",
  ],
  "check.slot": [
    "Point {point} took {imported} and gave {exported} mWh from {start} UTC on, sealed in block {height} of chain {chain}",
    "Messpunkt {point} bezog {imported} und lieferte {exported} mWh ab {start} UTC, versiegelt in Block {height} der Kette {chain}",
    "计量点 {point} 自 {start} UTC 起用电 {imported}、送电 {exported} mWh，封存于链 {chain} 区块 {height}",
  ],
  "check.stateForm": [
    "It reads as the proof of {key}, {bytes} bytes",
    "Es liest sich als Nachweis von {key}, {bytes} Bytes",
    "格式为 {key} 的证明，{bytes} 字节",
  ],
  "check.state": [
    "After block {height} of chain {chain} this is what stands under {key}: {bytes} bytes",
    "Nach Block {height} der Kette {chain} steht dies unter {key}: {bytes} Bytes",
    "链 {chain} 区块 {height} 之后，{key} 的内容为 {bytes} 字节",
  ],
  // checks of a block
  "check.form": [
    "It reads as a block, {bytes} bytes",
    "Es liest sich als Block, {bytes} Bytes",
    "格式正确，{bytes} 字节",
  ],
  "check.place": [
    "It is block {height} of chain {chain} in network {network}",
    "Es ist Block {height} der Kette {chain} im Netz {network}",
    "它是网络 {network} 链 {chain} 的区块 {height}",
  ],
  "check.tree": [
    "{leaves} leaves, {records} of them records, lead to the root in its header",
    "{leaves} Blätter, davon {records} Datensätze, führen zur Wurzel im Kopf",
    "{leaves} 个叶子（其中 {records} 条记录）指向区块头中的根",
  ],
  "check.seal": [
    "{signed} of {members} members signed it; {quorum} are needed",
    "{signed} von {members} Mitgliedern haben ihn signiert; {quorum} sind nötig",
    "{members} 名成员中 {signed} 名签名；需要 {quorum} 名",
  ],
  "check.link": [
    "It names the block before by its hash",
    "Er nennt den vorherigen Block mit dessen Hash",
    "以哈希引用上一区块",
  ],
  "check.stored": [
    "{batches} temporary blocks, acknowledged by a quorum each with {signatures} signatures in all",
    "{batches} vorläufige Blöcke, je von einem Quorum bestätigt, mit zusammen {signatures} Signaturen",
    "{batches} 个临时区块，各由法定多数确认，共 {signatures} 个签名",
  ],
  "check.records": [
    "{records} records, each signed by one of {signers} meters and participants that the authority certifies",
    "{records} Datensätze, jeder signiert von einem der {signers} Zähler und Teilnehmer, die die Zulassungsstelle beglaubigt",
    "{records} 条记录，均由机构认证的 {signers} 个电表或参与者之一签名",
  ],
} as const satisfies Readonly<Record<string, readonly [string, string, string]>>;

type Texts = Readonly<Record<string, readonly [string, string, string]>>;
export type TextKey = keyof typeof texts | keyof typeof pageTexts;

let known: Texts = texts;

/** More of them are there from now on. */
export function addTexts(more: Texts): void {
  known = { ...known, ...more };
}

/** For whoever goes over all of them. */
export function allTexts(): Texts {
  return known;
}

const places: Readonly<Record<Language, 0 | 1 | 2>> = { en: 0, de: 1, zh: 2 };
let place: 0 | 1 | 2 = 0;
let current: Language = "en";

export function chooseLanguage(language: Language): void {
  current = language;
  place = places[language];
}

export function languageNow(): Language {
  return current;
}

export function text(key: TextKey, values: Readonly<Record<string, string | number>> = {}): string {
  return known[key]![place].replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    return value === undefined ? whole : typeof value === "number" ? numberText(value) : value;
  });
}

/** Made once a language: making one takes longer than a hundred numbers. */
const formats = new Map<Language, Intl.NumberFormat>();

export function numberText(value: number | bigint): string {
  const format = formats.get(current) ?? new Intl.NumberFormat(current);
  formats.set(current, format);
  return format.format(value);
}

/** Whether a name of a check or a state has a text. */
export function isTextKey(key: string): key is TextKey {
  return Object.hasOwn(known, key);
}
