/** A short sound for new alarms; off until a person switches it on (browsers want that, too). */

const KEY = 'dothi.alarm_sound';
/** Tones in hertz by priority: the more urgent, the higher and the more of them. */
const TONES: Record<number, number[]> = { 1: [880, 880, 880], 2: [740, 740], 3: [620], 4: [520] };
const TONE_S = 0.16;
const GAP_S = 0.09;
/** A flood of alarms is one sound every so often. */
const LEAST_MS = 1500;

class AlarmSound {
  isOn = $state(localStorage.getItem(KEY) === '1');
  private context: AudioContext | null = null;
  private playedAt = 0;

  set(isOn: boolean): void {
    this.isOn = isOn;
    localStorage.setItem(KEY, isOn ? '1' : '0');
    if (isOn) this.play(4);
  }

  play(priority: number): void {
    if (!this.isOn || Date.now() - this.playedAt < LEAST_MS) return;
    this.playedAt = Date.now();
    this.context ??= new AudioContext();
    const { context } = this;
    void context.resume();
    (TONES[priority] ?? []).forEach((hertz, i) => {
      const from = context.currentTime + i * (TONE_S + GAP_S);
      const tone = context.createOscillator();
      const gain = context.createGain();
      tone.frequency.value = hertz;
      gain.gain.setValueAtTime(0.0001, from);
      gain.gain.exponentialRampToValueAtTime(0.25, from + 0.02);
      gain.gain.exponentialRampToValueAtTime(0.0001, from + TONE_S);
      tone.connect(gain).connect(context.destination);
      tone.start(from);
      tone.stop(from + TONE_S);
    });
  }
}

export const alarmSound = new AlarmSound();

export function playAlarm(priority: number): void {
  alarmSound.play(priority);
}
