/** A change as people read it: `−42 %`; from twice as much on, `× 3.1`; without a bound, `∞`. */
export function changeText(change: number | null): string {
  if (change === null) return '∞';
  if (change >= 1) return `× ${numberText(1 + change)}`;
  const percent = Math.round(change * 1000) / 10;
  return `${percent < 0 ? '−' : '+'}${Math.abs(percent)} %`;
}

/** Three digits are all that such numbers hold. */
export function numberText(value: number): string {
  return String(Number(value.toPrecision(3)));
}
