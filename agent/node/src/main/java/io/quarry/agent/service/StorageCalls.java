package io.quarry.agent.service;

import io.quarry.common.api.StorageException;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/**
 * The calls of a storage that work with one file. On a hanging storage a call outlives its caller.
 * The file is closed once, after the last call has ended and when no other can begin.
 */
final class StorageCalls {
  private final Runnable closing;
  private final Supplier<StorageException> refusal;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition ended = lock.newCondition();
  private int underway;
  private boolean shut;
  private boolean closed;

  /**
   * @param closing closes the file
   * @param refusal for a call that comes too late
   */
  StorageCalls(Runnable closing, Supplier<StorageException> refusal) {
    this.closing = closing;
    this.refusal = refusal;
  }

  <T> Callable<T> counted(Callable<T> call) {
    return () -> {
      begin();
      try {
        return call.call();
      } finally {
        end();
      }
    };
  }

  private void begin() {
    lock.lock();
    try {
      if (shut) {
        throw refusal.get();
      }
      underway++;
    } finally {
      lock.unlock();
    }
  }

  private void end() {
    lock.lock();
    try {
      underway--;
      ended.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** From now on no call begins. */
  void shut() {
    lock.lock();
    try {
      shut = true;
    } finally {
      lock.unlock();
    }
  }

  /** Closes the file; false when a call has not ended within the patience. */
  boolean close(Duration patience) throws InterruptedException {
    long nanos = patience.toNanos();
    lock.lock();
    try {
      shut = true;
      while (underway > 0) {
        if (nanos <= 0) {
          return false;
        }
        nanos = ended.awaitNanos(nanos);
      }
      if (!closed) {
        closing.run();
        closed = true;
      }
      return true;
    } finally {
      lock.unlock();
    }
  }
}
