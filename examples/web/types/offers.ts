/** The values that the fields of a form offer, for each model; used by `form.js`. */
import type { Model, RequestFor } from "./api.js";

type Value<M extends Model, Field extends PropertyKey> = Field extends keyof RequestFor<M>
    ? Exclude<RequestFor<M>[Field], undefined>
    : never;

/** All values of a list; "any text" where there is no list; null where the model has no such field. */
type Offer<V> = [V] extends [never] ? null : string extends V ? "any text" : Record<V & string, true>;

/** It does not compile with a value too many or too few, so a change of the contract shows in `npm run check`. */
export type Offers = {
    [M in Model]: {
        aspectRatio: Offer<Value<M, "aspectRatio">>;
        resolution: Offer<Value<M, "resolution">>;
        outputFormat: Offer<Value<M, "outputFormat">>;
    };
};
