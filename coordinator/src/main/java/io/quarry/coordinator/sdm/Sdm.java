package io.quarry.coordinator.sdm;

import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.log.Replica;
import io.quarry.coordinator.log.SlotStore;
import io.quarry.coordinator.plan.Reply;
import io.quarry.coordinator.plan.Request;
import io.quarry.coordinator.plan.RequestId;
import io.quarry.coordinator.thread.Supervisor;
import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The storage domain manager of one repository on one host: commits metadata and moves no data. An
 * SDM leads from its election until it learns that another host leads. One thread per term plans
 * and commits; any thread may submit.
 */
public final class Sdm implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Sdm.class);

  /** Requests that wait for their turn; further callers are told to try again. */
  public static final int QUEUED_REQUESTS_MAX = 8_192;

  private final String name;
  private final SlotStore store;
  private final Replica replica;
  private final String writer;
  private final InstantSource clock;
  private final SdmListener listener;
  private final SdmRuntime machinery;
  private final BlockingQueue<Submission> queue;

  private @Nullable Term term;
  private @Nullable Thread thread;
  private boolean closed;

  /** A term is to begin when the ending one is over. */
  private boolean again;

  /**
   * @param writer host and incarnation, as in the log
   */
  public Sdm(
      SlotStore store,
      Replica replica,
      String writer,
      InstantSource clock,
      SdmListener listener,
      Supervisor supervisor) {
    this(store, replica, writer, clock, listener, SdmRuntime.usual(supervisor));
  }

  Sdm(
      SlotStore store,
      Replica replica,
      String writer,
      InstantSource clock,
      SdmListener listener,
      SdmRuntime machinery) {
    this.name = replica.name();
    this.store = store;
    this.replica = replica;
    this.writer = writer;
    this.clock = clock;
    this.listener = listener;
    this.machinery = machinery;
    this.queue = machinery.queue();
  }

  /** Begins a term, after the ending one if there is one. Does nothing when a term runs. */
  public synchronized void lead() {
    if (term != null) {
      again = term.ending();
    } else if (!closed) {
      begin();
    }
  }

  private synchronized void begin() {
    Term next =
        new Term(
            machinery.logs().of(store, writer),
            new CheckpointKeeper(
                name,
                store,
                machinery.background().apply("checkpoint-" + name),
                machinery.checkpointRecords()),
            replica,
            clock,
            queue,
            listener);
    Thread runner = machinery.threads().apply("sdm-" + name).newThread(() -> run(next));
    again = false;
    // Only a started thread counts: a term without a thread would never end.
    runner.start();
    term = next;
    thread = runner;
  }

  /**
   * A failing term first gives up the role, and then fails the thread, so that the supervisor
   * counts the failure.
   */
  private void run(Term running) {
    String reason = "it was ended";
    try {
      reason = running.run();
    } catch (RuntimeException | Error e) {
      reason = "internal error: " + e;
      throw e;
    } finally {
      leave(running, reason);
    }
  }

  private void leave(Term running, String reason) {
    LOG.info("No longer SDM of {}: {}", name, reason);
    drain();
    try {
      listener.steppedDown(reason);
    } finally {
      over();
      running.close();
    }
  }

  /** The host learns of the end before the next term begins. */
  private synchronized void over() {
    term = null;
    if (again && !closed) {
      begin();
    }
  }

  /**
   * Ends the term after the commit in progress; does nothing when none is running. Queued requests
   * are answered at once: the storage may take long, or for ever.
   */
  public synchronized void stepDown(String reason) {
    again = false;
    if (term != null) {
      term.stop(reason);
      drain();
    }
  }

  /** Whether requests submitted here can be committed. */
  public synchronized boolean leading() {
    return term != null && term.committing() && !term.ending();
  }

  /**
   * For how long the term has been at one piece of work; zero without a term. The time grows while
   * the storage hangs, and then only another host can commit.
   */
  public synchronized Duration silence() {
    return term == null ? Duration.ZERO : term.silence();
  }

  /**
   * Plans and commits the request. The answer fails with a {@link StorageException}.
   * SDM_UNAVAILABLE means that nothing was committed, OUTCOME_UNKNOWN that the outcome is not known
   * yet.
   */
  public CompletableFuture<Reply> submit(RequestId requestId, Request request) {
    CompletableFuture<Reply> answer = new CompletableFuture<>();
    synchronized (this) {
      if (term == null || term.ending()) {
        answer.completeExceptionally(unavailable("this host is not the repository's SDM"));
      } else if (!queue.offer(new Submission(requestId, request, answer))) {
        answer.completeExceptionally(
            unavailable(QUEUED_REQUESTS_MAX + " requests are waiting already"));
      }
    }
    return answer;
  }

  /** Submits a request of an agent itself. */
  public CompletableFuture<Reply> submit(String requestId, Request request) {
    return submit(RequestId.of(requestId), request);
  }

  /** Queued requests have changed nothing. */
  private synchronized void drain() {
    for (Submission left = queue.poll(); left != null; left = queue.poll()) {
      left.answer().completeExceptionally(unavailable("the SDM is changing"));
    }
  }

  StorageException unavailable(String why) {
    return new StorageException(
        ErrorCode.SDM_UNAVAILABLE,
        "repository " + name + " cannot commit now: " + why,
        name,
        "nothing was changed; repeat the call with the same request id");
  }

  /** Ends the term and waits for it. */
  @Override
  public void close() {
    Thread running;
    synchronized (this) {
      closed = true;
      running = thread;
      stepDown("the repository is being disconnected");
    }
    if (running != null && running != Thread.currentThread()) {
      try {
        running.join(CLOSE_WAIT_MILLIS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private static final long CLOSE_WAIT_MILLIS = 5_000;
}
