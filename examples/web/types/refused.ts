/**
 * What the types forbid: the compiler must report an error at each marked line, and nowhere else. A mark names the
 * error's code and a word of its message, so that no case is refused for a reason of another kind.
 *
 * `npm run check:refused` holds the marks against the compiler.
 */
import type { Answer, GenerateRequest, Snapshot } from "./api.js";
import type { components } from "./openapi.js";

declare const snapshot: Snapshot;
declare const request: GenerateRequest;
declare const submitted: Answer<"generateImage">;
declare const text: string;

// ------------------------------------------------- requests, by their model

export const requests: GenerateRequest[] = [
    { prompt: "A fox" }, // refused: TS2322 model
    { model: "gpt-image-2" }, // refused: TS2322 prompt
    { model: "gpt-image-3", prompt: "A fox" }, // refused: TS2820 gpt-image-3
    { model: text, prompt: "A fox" }, // refused: TS2322 string
    { model: "gpt-image-2", prompt: null }, // refused: TS2322 null
    { model: "gpt-image-2", prompt: "A fox", aspectRatio: "7:1" }, // refused: TS2322 7:1
    { model: "gpt-image-2", prompt: "A fox", resolution: "2K" }, // refused: TS2353 resolution
    { model: "google/nano-banana", prompt: "A fox", resolution: "2K" }, // refused: TS2353 resolution
    { model: "nano-banana-2", prompt: "A fox", resolution: "8K" }, // refused: TS2322 8K
    { model: "nano-banana-pro", prompt: "A fox", resolution: "1K" }, // refused: TS2322 1K
    { model: "nano-banana-2", prompt: "A fox", resolution: undefined }, // refused: TS2322 exactOptionalPropertyTypes
    { model: "nano-banana-2", prompt: "A fox", aspectRation: "1:1" }, // refused: TS2561 aspectRation
    { model: "nano-banana-2", prompt: "A fox", outputFormat: "gif" }, // refused: TS2322 gif
    { model: "nano-banana-2", prompt: "A fox", inputImageUrls: "https://a.example" }, // refused: TS2322 string
    { model: "gpt-image-2", prompt: "A fox", inputImageUrls: ["1", "2", "3", "4", "5"] }, // refused: TS2322 5
    { model: "nano-banana-2", prompt: "A fox", providerInput: "seed=7" }, // refused: TS2322 string
];

export const resolution = request.resolution; // refused: TS2339 resolution
export const generated: components["schemas"]["GptImage2Request"] = {
    model: "gpt-image-2",
    prompt: "A fox",
    aspectRatio: "7:1", // refused: TS2322 7:1
};

if (request.model === "gpt-image-2") {
    request.resolution; // refused: TS2339 resolution
}
if (request.model === "nano-banana-pro") {
    request.resolution === "1K"; // refused: TS2367 1K
}

export function everyModel(): string {
    switch (request.model) {
        case "gpt-image-2":
        case "nano-banana-2":
        case "nano-banana-pro":
            return "known";
        default:
            return request; // refused: TS2322 google/nano-banana
    }
}

// ----------------------------------------------- snapshots, by their status

snapshot.imageUrls[0]; // refused: TS18049 imageUrls
snapshot.errorCode.length; // refused: TS18049 errorCode
snapshot.status === 3; // refused: TS2367 3
snapshot.credits; // refused: TS2339 credits

if (snapshot.status === 0) {
    snapshot.imageUrls.length; // refused: TS18049 imageUrls
    snapshot.creditsRefunded === true; // refused: TS2367 false
}
if (snapshot.status === 1) {
    snapshot.errorCode.length; // refused: TS18049 errorCode
    snapshot.type === "video"; // refused: TS2367 video
    snapshot.imageUrls[1].length; // refused: TS2532 undefined
}
if (snapshot.status === 2) {
    snapshot.imageUrls.map(String); // refused: TS18049 imageUrls
}

// ---------------------------------------------- answers, by their HTTP status

submitted.body.taskId; // refused: TS2339 taskId
submitted.status === 404; // refused: TS2367 404
if (submitted.status === 402) {
    submitted.body.details; // refused: TS2339 details
}
if (submitted.status === 400) {
    submitted.body.details.fieldErrors["prompt"].length; // refused: TS2532 undefined
}
