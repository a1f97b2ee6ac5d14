package io.quarry.agent.data;

import io.quarry.agent.data.os.NativeFile;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The threads of one copy. Lanes take chunks in order, so that the window in front is finished
 * first. Lanes are never interrupted: when {@link #close} returns, no read or write is under way.
 */
final class Lanes implements AutoCloseable {
  /** Moves one chunk through memory; several lanes call this at once. */
  @FunctionalInterface
  interface Work {
    void copy(Chunk chunk, MemorySegment buffer) throws IOException;
  }

  private final Work work;
  private final int bufferBytes;
  private final Throttle throttle;
  private final CopyControl control;
  private final List<Thread> threads = new ArrayList<>();

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Queue<Chunk> queue = new ArrayDeque<>();
  private final Set<Chunk> pending = new HashSet<>();
  private @Nullable Throwable failure;
  private volatile boolean closing;

  Lanes(Work work, CopyPace pace, Throttle throttle, CopyControl control) {
    this.work = work;
    this.bufferBytes = Math.toIntExact(Math.min(ChunkCopier.CHUNK_BYTES, pace.windowBytes()));
    this.throttle = throttle;
    this.control = control;
    for (int i = 0; i < pace.lanes(); i++) {
      threads.add(Thread.ofPlatform().daemon().name("copy-lane-" + i).start(this::run));
    }
  }

  /** Without threads, the caller moves the chunks itself. */
  void submit(Window window) {
    lock.lock();
    try {
      pending.addAll(window.chunks());
      queue.addAll(window.chunks());
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    if (threads.isEmpty()) {
      work(queue::poll);
    }
  }

  /** Waits until the chunk is written, or throws the failure that stopped a lane. */
  void await(Chunk chunk) throws IOException, InterruptedException {
    lock.lockInterruptibly();
    try {
      while (failure == null && pending.contains(chunk)) {
        changed.await();
      }
      switch (failure) {
        case null -> {}
        case IOException e -> throw e;
        case Throwable e -> throw new IOException("copying a chunk failed", e);
      }
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void close() {
    lock.lock();
    try {
      closing = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    boolean interrupted = false;
    for (Thread thread : threads) {
      while (thread.isAlive()) {
        try {
          thread.join();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void run() {
    work(this::next);
  }

  /** Gives chunks until there is no more to do. */
  private interface Chunks {
    @Nullable Chunk next() throws InterruptedException;
  }

  private void work(Chunks chunks) {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment buffer = arena.allocate(bufferBytes, NativeFile.DIRECT_ALIGNMENT);
      Chunk chunk = chunks.next();
      while (chunk != null) {
        if (!throttle.acquire(chunk.length(), this::isCancelled)) {
          throw new CopyStopped("stopped before offset " + chunk.offset());
        }
        work.copy(chunk, buffer);
        done(chunk);
        chunk = chunks.next();
      }
    } catch (Throwable e) {
      fail(e);
    }
  }

  private boolean isCancelled() {
    return closing || control.isStopped();
  }

  private @Nullable Chunk next() throws InterruptedException {
    lock.lock();
    try {
      while (!closing && failure == null && queue.isEmpty()) {
        changed.await();
      }
      return closing || failure != null ? null : queue.poll();
    } finally {
      lock.unlock();
    }
  }

  private void done(Chunk chunk) {
    lock.lock();
    try {
      pending.remove(chunk);
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private void fail(Throwable e) {
    lock.lock();
    try {
      if (failure == null) {
        failure = e;
      }
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }
}
