/**
 * The names a client speaks of, taken from the generated types: nothing is said of the API here a second time.
 *
 * Requests narrow by `model`, snapshots by their `status`, answers by their HTTP status.
 */
import type { components, operations } from "./openapi.js";

type Schemas = components["schemas"];

/**
 * Each type of a union without its "any other key". The API ignores fields that it does not know, so the generated
 * types allow every key; in a program such a key is a slip of the pen, or a field of another model.
 */
type OnlyKnown<T> = T extends unknown ? { [K in keyof T as string extends K ? never : K]: T[K] } : never;

export type GenerateRequest = OnlyKnown<Schemas["GenerateImageRequest"]>;
export type Model = GenerateRequest["model"];
export type RequestFor<M extends Model> = Extract<GenerateRequest, { model: M }>;

export type AcceptedTask = Schemas["TaskAccepted"];

export type Snapshot = Schemas["TaskSnapshot"];
export type PendingTask = Extract<Snapshot, { status: 0 }>;
export type CompletedTask = Extract<Snapshot, { status: 1 }>;
export type FailedTask = Extract<Snapshot, { status: 2 }>;
export type EndedTask = CompletedTask | FailedTask;

export type Operation = keyof operations;

type Body<Response> = Response extends { content: { "application/json": infer Json } } ? Json : never;

type Statuses<Responses> = { [Status in keyof Responses]: { status: Status; body: Body<Responses[Status]> } };

/** The documented answers of an operation, each with its HTTP status. */
export type Answer<O extends Operation> = O extends Operation
    ? Statuses<operations[O]["responses"]>[keyof operations[O]["responses"]]
    : never;
