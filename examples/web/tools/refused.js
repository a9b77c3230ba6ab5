// @ts-check
/** Holds the marks of a file against the compiler: `node tools/refused.js`, in the folder of tsconfig.json. */
import ts from "typescript";

const FILE = "types/refused.ts";
const MARK = /\/\/ refused: TS(\d+) (\S+)$/;

const { config } = ts.readConfigFile("tsconfig.json", ts.sys.readFile);
const { options } = ts.parseJsonConfigFileContent(config, ts.sys, ".");
const program = ts.createProgram([FILE], options);
const source = program.getSourceFile(FILE);
if (source === undefined) throw new Error(`${FILE}: no such file`);

/** @type {Map<number, string[]>} */
const reported = new Map();
for (const { file, start, code, messageText } of ts.getPreEmitDiagnostics(program)) {
    if (file === undefined || start === undefined || file.fileName !== source.fileName) {
        throw new Error(`not in ${FILE}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`);
    }
    const { line } = file.getLineAndCharacterOfPosition(start);
    const message = `TS${code} ${ts.flattenDiagnosticMessageText(messageText, " ")}`;
    reported.set(line, [...(reported.get(line) ?? []), message]);
}

let cases = 0;
/** @type {string[]} */
const faults = [];
for (const [line, text] of source.text.split("\n").entries()) {
    const messages = reported.get(line) ?? [];
    const [, code, word] = MARK.exec(text) ?? [];
    const place = `${FILE}:${line + 1}`;
    if (code === undefined || word === undefined) {
        faults.push(...messages.map((message) => `${place}: refused without a mark: ${message}`));
        continue;
    }
    cases += 1;
    if (messages.length === 0) faults.push(`${place}: compiles, and must not`);
    for (const message of messages) {
        if (!message.startsWith(`TS${code} `) || !message.includes(word)) {
            faults.push(`${place}: refused for another reason than TS${code} ${word}: ${message}`);
        }
    }
}
if (cases === 0) faults.push(`${FILE}: no line is marked`);

ts.sys.write(faults.length === 0 ? `${FILE}: all ${cases} marked lines are refused\n` : `${faults.join("\n")}\n`);
ts.sys.exit(faults.length === 0 ? 0 : 1);
