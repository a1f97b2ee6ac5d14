package io.quarry.agent.repository;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.Json;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.cluster.Candidate;
import io.quarry.coordinator.cluster.Election;
import io.quarry.coordinator.plan.CancelRequest;
import io.quarry.coordinator.plan.Reply;
import io.quarry.coordinator.plan.Request;
import io.quarry.coordinator.sdm.Sdm;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Brings a request to whichever host commits, through elections if need be. The request id makes
 * repeating harmless: a request that may have been committed is asked for until its fate is known.
 */
final class Forwarder {
  /** How long a caller waits at the most. */
  private static final Duration DEADLINE = Duration.ofSeconds(30);

  /** One try at one host; a paused host must not eat the whole deadline. */
  private static final Duration TRY = Duration.ofSeconds(5);

  /** Between tries, unless the election says something first. */
  private static final long PAUSE_MILLIS = 20;

  private final String name;
  private final String repositoryKey;
  private final String ownIncarnation;
  private final Sdm sdm;
  private final Election election;
  private final StoragePulse pulse;
  private final SubmitTransport transport;

  /** Guards {@code changes}; signalled when it grows. */
  private final Object changed = new Object();

  private long changes;

  Forwarder(
      String name,
      String repositoryKey,
      String ownIncarnation,
      Sdm sdm,
      Election election,
      StoragePulse pulse,
      SubmitTransport transport) {
    this.name = name;
    this.repositoryKey = repositoryKey;
    this.ownIncarnation = ownIncarnation;
    this.sdm = sdm;
    this.election = election;
    this.pulse = pulse;
    this.transport = transport;
  }

  /** Wakes callers that wait for an SDM. */
  void sdmChanged() {
    synchronized (changed) {
      changes++;
      changed.notifyAll();
    }
  }

  /** What one try came to: an answer, or why there is none. */
  private record Attempt(@Nullable Reply reply, boolean maybeCommitted, @Nullable String why) {
    static Attempt nothing(String why) {
      return new Attempt(null, false, why);
    }

    static Attempt unknown(String why) {
      return new Attempt(null, true, why);
    }
  }

  /**
   * A refusal after a try that may have been committed says nothing of that one: a paused host may
   * still have it. Then it is made sure that nothing comes of it, before anybody is told so, or
   * removes what the request is about.
   */
  Reply submit(String requestId, Request request) {
    long deadline = System.nanoTime() + DEADLINE.toNanos();
    Request asked = request;
    StorageException refusal = null;
    boolean maybeCommitted = false;
    String why = "no host leads it";
    while (System.nanoTime() < deadline && pulse.responsive()) {
      Attempt attempt;
      try {
        attempt = once(requestId, asked);
      } catch (StorageException e) {
        // Who uses an id that belongs to another request has none of his own anywhere.
        if (!maybeCommitted || e.code() == ErrorCode.REQUEST_ID_REUSED) {
          throw e;
        }
        if (refusal != null) {
          throw unknown(requestId, e.getMessage());
        }
        refusal = e;
        asked = new CancelRequest(e.code());
        continue;
      }
      if (attempt.reply() != null) {
        if (refusal != null && CancelRequest.made(attempt.reply())) {
          throw refusal;
        }
        return attempt.reply();
      }
      maybeCommitted |= attempt.maybeCommitted();
      why = attempt.why() == null ? why : attempt.why();
      if (!pause()) {
        break;
      }
    }
    if (maybeCommitted) {
      throw unknown(requestId, why);
    }
    throw pulse.responsive() ? unavailable(why) : pulse.unresponsive();
  }

  private Attempt once(String requestId, Request request) {
    try {
      if (sdm.leading()) {
        return new Attempt(here(requestId, request), false, null);
      }
      Optional<Candidate> leader = election.leader();
      if (leader.isEmpty()) {
        return Attempt.nothing("no host leads it");
      }
      if (leader.get().incarnation().equals(ownIncarnation)) {
        return Attempt.nothing("this host is about to lead it");
      }
      return new Attempt(there(leader.get(), requestId, request), false, null);
    } catch (StorageException e) {
      if (e.code() == ErrorCode.OUTCOME_UNKNOWN) {
        return Attempt.unknown(String.valueOf(e.getMessage()));
      }
      if (e.code().retryable()) {
        return Attempt.nothing(String.valueOf(e.getMessage()));
      }
      throw e;
    } catch (SubmitTransport.NotSentException e) {
      return Attempt.nothing(String.valueOf(e.getMessage()));
    } catch (IOException | TimeoutException e) {
      return Attempt.unknown(String.valueOf(e.getMessage()));
    }
  }

  /** Commits on this host; used for requests that others forward, too. */
  Reply here(String requestId, Request request) throws TimeoutException {
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

  private Reply there(Candidate leader, String requestId, Request request) throws IOException {
    byte[] body;
    try {
      body = Json.MAPPER.writeValueAsBytes(new ForwardedRequest(repositoryKey, requestId, request));
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
        long until = System.nanoTime() + PAUSE_MILLIS * 1_000_000;
        while (changes == seen && until - System.nanoTime() > 0) {
          changed.wait(1 + (until - System.nanoTime()) / 1_000_000);
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

  private static StorageException unknown(String requestId, @Nullable String why) {
    return new StorageException(
        ErrorCode.OUTCOME_UNKNOWN,
        "it is not known whether the request was committed: " + why,
        requestId,
        "repeat the call with the same request id to learn what became of it");
  }
}
