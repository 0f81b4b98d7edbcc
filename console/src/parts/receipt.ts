/** The promise of the hub: received = stored + rejected + duplicate. */

export interface Receipt {
  received: number;
  stored: number;
  rejected: number;
  duplicate: number;
}

/** 0: it adds up. */
export function sumGap(r: Receipt): number {
  return r.received - r.stored - r.rejected - r.duplicate;
}

export function total(receipts: Receipt[]): Receipt {
  const sum = { received: 0, stored: 0, rejected: 0, duplicate: 0 };
  for (const r of receipts) {
    sum.received += r.received;
    sum.stored += r.stored;
    sum.rejected += r.rejected;
    sum.duplicate += r.duplicate;
  }
  return sum;
}
