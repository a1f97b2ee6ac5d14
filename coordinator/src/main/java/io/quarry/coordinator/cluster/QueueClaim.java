package io.quarry.coordinator.cluster;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * This agent's claim on a queued fix. The claim outlives outages, and follows its fix into a
 * rebuilt queue. The claim's epoch on the storage decides who may write.
 */
public final class QueueClaim {
  public static final int PROGRESS_BYTES_MAX = 1024;

  private final ClaimKeeper keeper;
  private final Claimant claimant;
  private final Listeners<Consumer<String>> lostListeners = new Listeners<>();

  /** Written by the claims' thread alone, once the claim exists. */
  private volatile HeldClaim held;

  private @Nullable String ended;
  private @Nullable String progress;
  private long progressAtNanos;
  private boolean progressed;

  QueueClaim(ClaimKeeper keeper, Claimant claimant, HeldClaim held) {
    this.keeper = keeper;
    this.claimant = claimant;
    this.held = held;
  }

  public QueuedFix fix() {
    return held.fix();
  }

  public Claimant claimant() {
    return claimant;
  }

  /** False once the claim is released or known to be lost; true during an outage. */
  public boolean valid() {
    return ended().isEmpty();
  }

  /** Why the claim is no longer valid. */
  public synchronized Optional<String> ended() {
    return Optional.ofNullable(ended);
  }

  /**
   * The listener is called on the claims' thread when the claim is lost, but not when it is
   * released.
   */
  public Subscription onLost(Consumer<String> listener) {
    return lostListeners.add(listener);
  }

  /**
   * Shows how far the work is. Returns at once; the newest progress is written at most twice a
   * second.
   *
   * @param json at most {@link #PROGRESS_BYTES_MAX} bytes
   */
  public void progress(String json) {
    int bytes = json.getBytes(StandardCharsets.UTF_8).length;
    if (bytes > PROGRESS_BYTES_MAX) {
      throw new IllegalArgumentException(
          "%d bytes of progress, at most %d are allowed".formatted(bytes, PROGRESS_BYTES_MAX));
    }
    synchronized (this) {
      progress = json;
    }
    keeper.progressed();
  }

  /**
   * Releases the claim, so that any host may claim the fix. Returns at once, and never touches a
   * successor's claim. If ZooKeeper does not answer, the claim goes as soon as ZooKeeper does.
   */
  public void release() {
    keeper.release(this);
  }

  HeldClaim held() {
    return held;
  }

  void hold(HeldClaim now) {
    held = now;
  }

  synchronized Optional<String> wantedProgress() {
    return Optional.ofNullable(progress);
  }

  /** Zero if progress may be written now, which then counts as written. */
  synchronized Duration untilNextProgress(Duration pause) {
    long now = System.nanoTime();
    long due = progressAtNanos + pause.toNanos();
    if (progressed && due - now > 0) {
      return Duration.ofNanos(due - now);
    }
    progressed = true;
    progressAtNanos = now;
    return Duration.ZERO;
  }

  /** Returns whether this is the first reason. */
  synchronized boolean end(String reason) {
    if (ended != null) {
      return false;
    }
    ended = reason;
    return true;
  }

  void tellLost(String reason) {
    lostListeners.each(listener -> listener.accept(reason));
  }
}
