package io.quarry.common.client;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.Json;
import io.quarry.common.api.StorageException;
import io.quarry.common.client.JsonHttp.Outcome;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Sends a call to one agent after another, in rounds with growing pauses, until one answers or the
 * deadline is over. The agent that answered last comes first.
 */
final class Failover {
  private static final Duration PAUSE_MIN = Duration.ofMillis(20);
  private static final Duration PAUSE_MAX = Duration.ofSeconds(1);

  /** Errors of one agent's host. */
  private static final Set<ErrorCode> ELSEWHERE =
      EnumSet.of(ErrorCode.REPOSITORY_NOT_CONNECTED, ErrorCode.STORAGE_MISMATCH);

  private final List<URI> agents;
  private final ClientSettings settings;
  private final JsonHttp http;
  private final AtomicInteger preferred = new AtomicInteger();

  Failover(List<URI> agents, ClientSettings settings, JsonHttp http) {
    this.agents = List.copyOf(agents);
    this.settings = settings;
    this.http = http;
  }

  /** The body of the success. */
  byte[] call(Attempt attempt, Duration deadline) {
    return answer(attempt, deadline).body();
  }

  /** The success. */
  Outcome.Answered answer(Attempt attempt, Duration deadline) {
    return new Rounds(attempt, deadline).run();
  }

  /** The state of one call. */
  private final class Rounds {
    private final Attempt attempt;
    private final long deadline;
    private boolean unknown;
    private boolean committed;
    private long lostNanos;
    private @Nullable StorageException refusal;
    private @Nullable StorageException finalRefusal;
    private String silence = "";

    Rounds(Attempt attempt, Duration deadline) {
      this.attempt = attempt;
      this.deadline = System.nanoTime() + deadline.toNanos();
    }

    Outcome.Answered run() {
      int agentsToAsk = attempt.hostBound() ? 1 : agents.size();
      int first = attempt.hostBound() ? 0 : preferred.get();
      Duration pause = PAUSE_MIN;
      while (true) {
        if (System.nanoTime() >= deadline) {
          throw giveUp();
        }
        int notConnected = 0;
        silence = "";
        for (int i = 0; i < agentsToAsk; i++) {
          int index = (first + i) % agents.size();
          Reply reply = ask(agents.get(index));
          switch (reply) {
            case Reply.Success(Outcome.Answered answer) -> {
              if (!attempt.hostBound()) {
                preferred.set(index);
              }
              return answer;
            }
            case Reply.Elsewhere() -> notConnected++;
            case Reply.Again() -> {}
          }
        }
        if (notConnected == agentsToAsk) {
          throw giveUp();
        }
        pause(pause);
        pause = pause.multipliedBy(2).compareTo(PAUSE_MAX) < 0 ? pause.multipliedBy(2) : PAUSE_MAX;
      }
    }

    private Reply ask(URI agent) {
      Duration left = Duration.ofNanos(deadline - System.nanoTime());
      if (left.isNegative() || left.isZero()) {
        throw giveUp();
      }
      Duration timeout = left.compareTo(attempt.timeout()) < 0 ? left : attempt.timeout();
      long sent = System.nanoTime();
      return switch (http.send(agent, attempt.request(), timeout)) {
        case Outcome.Answered answer ->
            answer.status() < 300
                ? new Reply.Success(answer)
                : judge(agent, sent, answer.status(), answer.body());
        case Outcome.NotSent(String why) -> {
          silence = why;
          yield new Reply.Again();
        }
        case Outcome.Unknown(String why) -> {
          silence = why;
          lost(sent);
          yield new Reply.Again();
        }
      };
    }

    private Reply judge(URI agent, long sent, int status, byte[] body) {
      StorageException error = error(agent, status, body);
      ErrorCode code = error.code();
      if (unknown && code == attempt.done()) {
        return new Reply.Success(new Outcome.Answered(status, Map.of(), new byte[0]));
      }
      if (!code.retryable() && !ELSEWHERE.contains(code)) {
        if (code != ErrorCode.REQUEST_ID_REUSED || finalRefusal == null) {
          finalRefusal = error;
        }
        refusal = finalRefusal;
        if (believed(code) || cancelled()) {
          throw refusal;
        }
        return new Reply.Again();
      }
      refusal = error;
      if (code == ErrorCode.OUTCOME_UNKNOWN) {
        lost(sent);
      }
      return code.retryable() ? new Reply.Again() : new Reply.Elsewhere();
    }

    private void lost(long sentNanos) {
      if (!unknown) {
        unknown = true;
        lostNanos = sentNanos;
      }
    }

    /**
     * Whether a refusal answers all tries so far. For a call that is known to be committed, only a
     * refusal that proves its effect does.
     */
    private boolean believed(ErrorCode code) {
      return committed
          ? code == ErrorCode.OPEN_NOT_FOUND
          : !unknown || !attempt.changes() || attempt.cancel() == null;
    }

    /**
     * Makes sure that no try whose answer was lost takes effect later. A refusal of a later try
     * proves nothing about an earlier one, and may even be its consequence. The cancellation stops
     * agents that sleep, or have yet to read the request.
     */
    private boolean cancelled() {
      JsonHttp.Request cancel = attempt.cancel();
      if (cancel == null
          || committed
          || System.nanoTime() - lostNanos < settings.lostTryOver().toNanos()) {
        return false;
      }
      Attempt cancelling = Attempt.changing(cancel, attempt.timeout());
      Duration left = Duration.ofNanos(deadline - System.nanoTime());
      try {
        byte[] answer = call(attempt.hostBound() ? cancelling.atThisHost() : cancelling, left);
        committed = Json.MAPPER.readTree(answer).path("committed").asBoolean(true);
        // If the call was committed, a later try gets the first answer.
        return !committed;
      } catch (StorageException | IOException e) {
        silence = "the call could not be cancelled: " + e.getMessage();
        return false;
      }
    }

    private void pause(Duration longest) {
      long nanos = (long) (longest.toNanos() * (0.5 + settings.jitter().getAsDouble() / 2));
      long left = Math.max(0, deadline - System.nanoTime());
      try {
        TimeUnit.NANOSECONDS.sleep(Math.min(nanos, left));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      if (Thread.currentThread().isInterrupted()) {
        silence = "the calling thread was interrupted";
        throw giveUp();
      }
    }

    private StorageException giveUp() {
      if (unknown && attempt.changes()) {
        String requestId = attempt.request().requestId();
        return new StorageException(
            ErrorCode.OUTCOME_UNKNOWN,
            "The call may have been committed; its answer was lost. Last: " + last(),
            requestId == null ? attempt.request().path() : requestId,
            requestId == null
                ? "Look whether it had its effect, or repeat it."
                : "Repeat the call with request id %1$s, or settle it with `quarry request cancel REPO %1$s`."
                    .formatted(requestId));
      }
      // While one agent is silent, "not connected here" of another agent is no answer.
      boolean told = silence.isEmpty() || lastCode() != ErrorCode.REPOSITORY_NOT_CONNECTED;
      if (refusal != null && told) {
        return refusal;
      }
      return new StorageException(
          ErrorCode.AGENT_UNAVAILABLE,
          "No agent that could take the call answered: " + silence + ".",
          String.join(",", agents.stream().map(URI::toString).toList()),
          "Check the addresses, and that an agent runs there.");
    }

    private @Nullable ErrorCode lastCode() {
      return refusal == null ? null : refusal.code();
    }

    private String last() {
      return refusal == null || !silence.isEmpty() ? silence : String.valueOf(refusal.getMessage());
    }
  }

  /** The meaning of one agent's answer for the call. */
  private sealed interface Reply {
    record Success(Outcome.Answered answer) implements Reply {}

    /**
     * The agent lacks the repository, or has another storage; another agent may have the right one.
     */
    record Elsewhere() implements Reply {}

    record Again() implements Reply {}
  }

  static StorageException error(URI agent, int status, byte[] body) {
    JsonNode tree;
    try {
      tree = Json.MAPPER.readTree(body);
    } catch (IOException e) {
      tree = null;
    }
    ErrorCode code = tree == null ? null : code(tree.path("code").asText());
    if (tree == null || code == null) {
      boolean gateway = status == 502 || status == 503 || status == 504;
      return new StorageException(
          gateway ? ErrorCode.OUTCOME_UNKNOWN : ErrorCode.INTERNAL,
          "HTTP status " + status + " without a known error code.",
          agent.toString(),
          "Check that a Quarry agent of this version answers there.");
    }
    return new StorageException(
        code,
        tree.path("message").asText(),
        tree.path("subject").asText(),
        tree.path("remedy").asText());
  }

  private static @Nullable ErrorCode code(String name) {
    for (ErrorCode code : ErrorCode.values()) {
      if (code.name().equals(name)) {
        return code;
      }
    }
    return null;
  }

  static byte[] json(Object value) {
    try {
      return Json.MAPPER.writeValueAsBytes(value);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }
}
