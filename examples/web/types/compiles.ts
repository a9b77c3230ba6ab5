/** What the types allow. It is compiled, not run; `refused.ts` is what they forbid. */
import type { Answer, FailedTask, GenerateRequest, Model, RequestFor, Snapshot } from "./api.js";
import type { components } from "./openapi.js";

// ------------------------------------------------- requests, by their model

export const requests: GenerateRequest[] = [
    { model: "gpt-image-2", prompt: "A fox", aspectRatio: "21:9", outputFormat: "webp" },
    { model: "gpt-image-2", prompt: "A fox", inputImageUrls: ["https://a.example", "https://b.example"] },
    { model: "nano-banana-2", prompt: "A fox", aspectRatio: "7:1", resolution: "1K" },
    { model: "nano-banana-pro", prompt: "A fox", resolution: "4K", providerInput: { seed: 7, nested: { any: [null] } } },
    { model: "google/nano-banana", prompt: "A fox", inputImageUrls: [] },
];

export function tier(request: GenerateRequest): "1K" | "2K" | "4K" | "none" {
    switch (request.model) {
        case "nano-banana-2":
            return request.resolution ?? "1K";
        case "nano-banana-pro": {
            const resolution: "2K" | "4K" = request.resolution ?? "2K";
            return resolution;
        }
        case "gpt-image-2":
        case "google/nano-banana":
            return "none";
    } // every model is named, so nothing is left to return here
}

export const ratio: RequestFor<"gpt-image-2">["aspectRatio"] = "4:5";
export const freeRatio: RequestFor<"google/nano-banana">["aspectRatio"] = "4:55";
export const models: Record<Model, true> = {
    "gpt-image-2": true,
    "nano-banana-2": true,
    "nano-banana-pro": true,
    "google/nano-banana": true,
};

// The generated types narrow too, and let pass whatever the API ignores.
export function generated(request: components["schemas"]["GenerateImageRequest"]): "1K" | "2K" | "4K" | undefined {
    return request.model === "nano-banana-2" ? request.resolution : undefined;
}
export const ignored: components["schemas"]["GptImage2Request"] = {
    model: "gpt-image-2",
    prompt: "A fox",
    unknownToTheApi: true,
};

// ----------------------------------------------- snapshots, by their status

export function caption(snapshot: Snapshot): string {
    switch (snapshot.status) {
        case 0:
            return `at work since ${snapshot.createdAt}`;
        case 1: {
            const first: string = snapshot.imageUrls[0]; // there is one: no null to check, no undefined
            return `${snapshot.imageUrls.length} pictures, the first at ${first}`;
        }
        case 2: {
            const back: boolean = snapshot.creditsRefunded;
            return `${snapshot.errorCode.toLowerCase()}: ${snapshot.errorMessage}${back ? ", refunded" : ""}`;
        }
    }
}

export function failed(snapshot: Snapshot): snapshot is FailedTask {
    return snapshot.status === 2;
}

export const neverRefunded = (snapshot: Snapshot): false | undefined =>
    failed(snapshot) ? undefined : snapshot.creditsRefunded;

// ---------------------------------------------- answers, by their HTTP status

export function price(answer: Answer<"generateImage">): number | undefined {
    switch (answer.status) {
        case 200:
            return answer.body.creditsUsed;
        case 402:
            return answer.body.required;
        case 400:
            return Object.keys(answer.body.details.fieldErrors).length;
        case 401:
        case 500:
            return undefined;
    }
}

export const unknownTask = (answer: Answer<"getTask">): "Task not found" | undefined =>
    answer.status === 404 ? answer.body.error : undefined;
