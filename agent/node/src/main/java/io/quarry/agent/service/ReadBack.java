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
 * Reads back what is stored of an upload, for the digest of the whole. What is durable never
 * changes again, so this goes on beside the ranges that still come; the end of it is waited for.
 */
final class ReadBack implements Runnable {
  private static final Logger LOG = LoggerFactory.getLogger(ReadBack.class);

  /** Less than this is left for later: on a slow disk, reading and writing keep apart. */
  static final long SPAN_BYTES = 32 << 20;

  /** Adds durable bytes to a digest, a span at most; says up to where. */
  @FunctionalInterface
  interface Reader {
    long read(MessageDigest digest, long from);
  }

  private final long size;
  private final LongSupplier durable;
  private final Reader reader;
  private final BooleanSupplier wanted;
  private final AtomicBoolean following = new AtomicBoolean();

  /** Who reads. */
  private final ReentrantLock turn = new ReentrantLock();

  private final MessageDigest digest = Sha256.fresh();
  private @Nullable String found;

  /** Written in turn, read by those that ask how far it is. */
  private volatile long verified;

  /**
   * @param durable up to where bytes are durable
   * @param wanted whether it is worth to go on
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

  /** Whether {@link #run} is to be called now; true once until it has run. */
  boolean isDue() {
    return isBehind() && following.compareAndSet(false, true);
  }

  private boolean isBehind() {
    return durable.getAsLong() - verified >= SPAN_BYTES;
  }

  /** {@link #run} is not called, though it was due. */
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

  /** The digest of the whole, which is durable; null when that takes longer. */
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
