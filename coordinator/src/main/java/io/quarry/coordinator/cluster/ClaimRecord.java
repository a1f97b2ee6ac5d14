package io.quarry.coordinator.cluster;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Content of a claim.
 *
 * @param nonce of the attempt that made the claim, by which an agent recognises its own claim after
 *     a lost reply
 * @param fence version of the fix's znode since this claim; the next claim's is higher
 * @param progress JSON as the worker gave it
 */
record ClaimRecord(
    Claimant claimant, String nonce, Instant claimedAt, int fence, @Nullable String progress) {
  ClaimRecord withProgress(@Nullable String now) {
    return new ClaimRecord(claimant, nonce, claimedAt, fence, now);
  }

  ClaimRecord withFence(int now) {
    return new ClaimRecord(claimant, nonce, claimedAt, now, progress);
  }

  boolean sameAttempt(ClaimRecord other) {
    return nonce.equals(other.nonce);
  }
}
