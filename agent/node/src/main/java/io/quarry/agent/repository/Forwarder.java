package io.quarry.agent.repository;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.Json;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.cluster.Candidate;
import io.quarry.coordinator.cluster.Election;
import io.quarry.coordinator.plan.Reply;
import io.quarry.coordinator.plan.Request;
import io.quarry.coordinator.plan.RequestId;
import io.quarry.coordinator.sdm.Sdm;
import io.quarry.coordinator.thread.Deadline;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Brings a request to the SDM, on any host, through elections if necessary. Under its request id a
 * request can be repeated without harm. So a request that may have been committed is repeated until
 * its fate is known.
 */
final class Forwarder {
  /** The longest time that a caller waits. */
  private static final Duration DEADLINE = Duration.ofSeconds(30);

  /** The time for one try at one host; a paused host must not use up the whole deadline. */
  private static final Duration TRY = Duration.ofSeconds(5);

  /** The pause between tries, unless the election changes first. */
  private static final Duration PAUSE = Duration.ofMillis(20);

  private final String name;
  private final String repositoryKey;
  private final String ownIncarnation;
  private final Sdm sdm;
  private final Election election;
  private final StorageMonitor pulse;
  private final SubmitTransport transport;

  /** Whether the log binds request ids to calls. */
  private final BooleanSupplier bound;

  /** Guards {@code changes}; notified when the count grows. */
  private final Object changed = new Object();

  private long changes;

  Forwarder(
      String name,
      String repositoryKey,
      String ownIncarnation,
      Sdm sdm,
      Election election,
      StorageMonitor pulse,
      SubmitTransport transport,
      BooleanSupplier bound) {
    this.name = name;
    this.repositoryKey = repositoryKey;
    this.ownIncarnation = ownIncarnation;
    this.sdm = sdm;
    this.election = election;
    this.pulse = pulse;
    this.transport = transport;
    this.bound = bound;
  }

  /** Wakes callers that wait for an SDM. */
  void sdmChanged() {
    synchronized (changed) {
      changes++;
      changed.notifyAll();
    }
  }

  Reply submit(RequestId requestId, Request request) {
    Deadline deadline = Deadline.after(DEADLINE);
    SubmitAttempts tries = new SubmitAttempts(requestId, request);
    while (!deadline.passed() && pulse.responsive()) {
      Reply reply = tries.once(asked -> once(requestId, asked));
      if (reply != null) {
        return reply;
      }
      if (!pause()) {
        break;
      }
    }
    if (tries.maybeCommitted()) {
      throw unknown(requestId, tries.why());
    }
    StorageException failing = pulse.failing();
    if (!pulse.responsive()) {
      throw pulse.unresponsive();
    }
    throw failing == null ? unavailable(tries.why()) : failing;
  }

  private SubmitAttempts.Outcome once(RequestId requestId, Request request) {
    try {
      if (sdm.leading()) {
        return SubmitAttempts.Outcome.of(here(requestId, request));
      }
      Optional<Candidate> leader = election.leader();
      if (leader.isEmpty()) {
        return SubmitAttempts.Outcome.nothing("no host leads it");
      }
      if (leader.get().incarnation().equals(ownIncarnation)) {
        return SubmitAttempts.Outcome.nothing("this host is about to lead it");
      }
      return SubmitAttempts.Outcome.of(there(leader.get(), requestId, request));
    } catch (StorageException e) {
      if (e.code() == ErrorCode.OUTCOME_UNKNOWN) {
        return SubmitAttempts.Outcome.unknown(String.valueOf(e.getMessage()));
      }
      if (e.code().retryable()) {
        return SubmitAttempts.Outcome.nothing(String.valueOf(e.getMessage()));
      }
      throw e;
    } catch (SubmitTransport.NotSentException e) {
      return SubmitAttempts.Outcome.nothing(String.valueOf(e.getMessage()));
    } catch (IOException | TimeoutException e) {
      return SubmitAttempts.Outcome.unknown(String.valueOf(e.getMessage()));
    }
  }

  /** Commits on this host; used for requests that other hosts forward, too. */
  Reply here(RequestId requestId, Request request) throws TimeoutException {
    CompletableFuture<Reply> answer = sdm.submit(requestId, request);
    try {
      var _ =
          CompletableFuture.anyOf(answer, pulse.hang()).get(TRY.toMillis(), TimeUnit.MILLISECONDS);
      if (!answer.isDone()) {
        throw unknown(requestId, "the storage of " + name + " does not answer");
      }
      return answer.get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof StorageException refused) {
        throw refused;
      }
      throw new IllegalStateException("planning failed", e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw unknown(requestId, "the call was interrupted");
    }
  }

  private Reply there(Candidate leader, RequestId requestId, Request request) throws IOException {
    byte[] body;
    try {
      body =
          Json.MAPPER.writeValueAsBytes(
              new ForwardedRequest(
                  repositoryKey,
                  requestId.value(),
                  bound.getAsBoolean() ? requestId.digest() : null,
                  request));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a request cannot be written as JSON", e);
    }
    byte[] answer = transport.submit(leader.endpoint(), body, TRY);
    return Json.MAPPER.readValue(answer, Reply.class);
  }

  private boolean pause() {
    synchronized (changed) {
      try {
        long seen = changes;
        Deadline until = Deadline.after(PAUSE);
        boolean waits = true;
        while (waits && changes == seen) {
          waits = until.awaitOn(changed);
        }
        return true;
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return false;
      }
    }
  }

  private StorageException unavailable(String why) {
    return new StorageException(
        ErrorCode.SDM_UNAVAILABLE,
        "repository " + name + " cannot commit now: " + why,
        name,
        "nothing was changed; repeat the call, and see that a healthy host has it connected");
  }

  private static StorageException unknown(RequestId requestId, @Nullable String why) {
    return new StorageException(
        ErrorCode.OUTCOME_UNKNOWN,
        "it is not known whether the request was committed: " + why,
        requestId.value(),
        "repeat the call with the same request id to learn what became of it");
  }
}
