package io.quarry.agent.service;

import io.quarry.common.api.Sha256;
import io.quarry.common.api.StorageException;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.HexFormat;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads back the stored bytes of an upload, for the digest of the whole. Durable bytes never change
 * again, so this happens while more ranges arrive. The end of the upload waits for the rest.
 */
final class ReadBack implements Runnable {
  private static final Logger LOG = LoggerFactory.getLogger(ReadBack.class);

  /** A smaller part is read later, since a slow disk does better with reads and writes apart. */
  static final long SPAN_BYTES = 32 << 20;

  /** Adds durable bytes to a digest, a span at most; returns the offset reached. */
  @FunctionalInterface
  interface Reader {
    long read(MessageDigest digest, long from);
  }

  private final long size;
  private final LongSupplier durable;
  private final Reader reader;
  private final BooleanSupplier wanted;
  private final AtomicBoolean following = new AtomicBoolean();

  /** Held by the thread that reads. */
  private final ReentrantLock turn = new ReentrantLock();

  private final MessageDigest digest = Sha256.fresh();
  private @Nullable String found;

  /** Changed only by the holder of {@code turn}; any thread may read it. */
  private volatile long verified;

  /**
   * @param durable the offset up to which bytes are durable
   * @param wanted whether the reading should continue
   */
  ReadBack(long size, LongSupplier durable, Reader reader, BooleanSupplier wanted) {
    this.size = size;
    this.durable = durable;
    this.reader = reader;
    this.wanted = wanted;
  }

  long verified() {
    return verified;
  }

  /** Whether the caller has to run {@link #run} now; true only once until it has run. */
  boolean isDue() {
    return isBehind() && following.compareAndSet(false, true);
  }

  private boolean isBehind() {
    return durable.getAsLong() - verified >= SPAN_BYTES;
  }

  /** Tells that {@link #run} will not run, though it was due. */
  void notFollowed() {
    following.set(false);
  }

  @Override
  public void run() {
    turn.lock();
    try {
      while (wanted.getAsBoolean() && isBehind()) {
        step();
      }
    } catch (StorageException e) {
      LOG.info("Reading an upload back broke off: {}", e.toString());
    } finally {
      following.set(false);
      turn.unlock();
    }
  }

  private void step() {
    verified = reader.read(digest, verified);
    if (verified == size) {
      found = HexFormat.of().formatHex(digest.digest());
    }
  }

  /** The digest of the whole durable upload; null when that takes longer. */
  @Nullable String await(Duration patience) {
    long until = System.nanoTime() + patience.toNanos();
    if (!take(patience)) {
      return null;
    }
    try {
      while (found == null && System.nanoTime() - until < 0) {
        step();
      }
      return found;
    } finally {
      turn.unlock();
    }
  }

  private boolean take(Duration patience) {
    try {
      return turn.tryLock(patience.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
