/** Scores from 0 to 1, higher is better. */
export interface QualityScores {
  faithfulness?: number;
  relevancy?: number;
}

export type QualityTrend = 'improving' | 'stable' | 'degrading';

/** How much the halves of the window must differ. */
const threshold = 0.03;

/** The newest scores, and where they are going. */
export function createQuality(window: number) {
  let scores: number[] = [];
  return {
    /** The mean of what is given; nothing usable records nothing. */
    record({ faithfulness, relevancy }: QualityScores): void {
      const given = [faithfulness, relevancy].filter((score) => typeof score === 'number' && Number.isFinite(score));
      if (given.length === 0) return;
      scores.push(mean(given as number[]));
      if (scores.length > window) scores.shift();
    },
    trend(): QualityTrend {
      if (scores.length < window) return 'stable';
      const middle = Math.floor(scores.length / 2);
      // Rounded, since 0.53 − 0.50 is a little less than 0.03.
      const change = Number((mean(scores.slice(middle)) - mean(scores.slice(0, middle))).toFixed(9));
      return change >= threshold ? 'improving' : change <= -threshold ? 'degrading' : 'stable';
    },
    reset(): void {
      scores = [];
    },
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
