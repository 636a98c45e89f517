// Texts of the page that flashes boards, a line each: English, German, Chinese. {name} is filled in.

export const flashTexts = {
  "flash.why": [
    "Puts a firmware bundle on a board at this machine's port. Your browser verifies the bundle, asks the chip what it is, and refuses a bundle for another board before the first byte. Nothing leaves this machine.",
    "Bringt ein Firmwarepaket auf eine Platine an einem Anschluss dieses Rechners. Ihr Browser prüft das Paket, fragt den Chip, was er ist, und lehnt ein Paket für eine andere Platine vor dem ersten Byte ab. Nichts verlässt diesen Rechner.",
    "将固件包写入连接到本机端口的电路板。浏览器会验证固件包、询问芯片型号，并在写入第一个字节前拒绝不匹配的固件包。任何内容都不会离开本机。",
  ],
  "flash.none": [
    "This browser reaches no serial port: take one with Web Serial, such as Chromium, over HTTPS or at localhost. The command gridseal flash does the same.",
    "Dieser Browser erreicht keinen seriellen Anschluss: nehmen Sie einen mit Web Serial, etwa Chromium, über HTTPS oder auf localhost. Der Befehl gridseal flash tut dasselbe.",
    "此浏览器无法访问串口：请使用支持 Web Serial 的浏览器（如 Chromium），通过 HTTPS 或 localhost 访问。命令 gridseal flash 也可完成同样的操作。",
  ],
  "flash.files": ["Files of the bundle", "Dateien des Pakets", "固件包文件"],
  "flash.signer": [
    "Public key of its maker, hex",
    "Öffentlicher Schlüssel des Herstellers, hex",
    "制造者公钥（十六进制）",
  ],
  "flash.held": ["I hold BOOT myself", "Ich halte BOOT selbst", "我自己按住 BOOT"],
  "flash.look": ["Choose a port and look", "Anschluss wählen und nachsehen", "选择端口并查看"],
  "flash.write": ["Write it", "Schreiben", "写入"],
  "flash.leave": ["Leave it as it is", "So lassen", "保持原样"],
  "flash.key": ["The key is given in hex digits.", "Der Schlüssel wird in Hexziffern angegeben.", "密钥须为十六进制。"],
  "flash.missing": ["{file} is not among the files.", "{file} ist nicht unter den Dateien.", "文件中缺少 {file}。"],
  "flash.chip": ["chip", "Chip", "芯片"],
  "flash.mac": ["MAC", "MAC", "MAC"],
  "flash.bundle": ["bundle", "Paket", "固件包"],
  "flash.named": ["{board}, version {version}", "{board}, Version {version}", "{board}，版本 {version}"],
  "flash.progress": ["{file}: {percent} %", "{file}: {percent} %", "{file}：{percent} %"],
  "flash.done": [
    "It is on the board. Next: open its console with 115200 baud, or bring it into a network with gridseal provision.",
    "Es ist auf der Platine. Als Nächstes: ihre Konsole mit 115200 Baud öffnen, oder sie mit gridseal provision in ein Netz bringen.",
    "已写入电路板。下一步：以 115200 波特打开其控制台，或用 gridseal provision 将其加入网络。",
  ],
} as const satisfies Readonly<Record<string, readonly [string, string, string]>>;
