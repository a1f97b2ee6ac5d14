package io.quarry.agent.chaos;

import io.quarry.common.api.Committed;
import io.quarry.common.api.CreatedImage;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.FixQueued;
import io.quarry.common.api.OpenedImage;
import io.quarry.common.api.RequestOutcome;
import io.quarry.common.api.StorageApi;
import io.quarry.common.api.StorageException;
import io.quarry.common.api.UploadInfo;
import io.quarry.common.client.ClientSettings;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Makes one customer's calls, each under a request id of its own, and writes down what became of
 * them. A call whose outcome is unknown is repeated under its id: some at once, some only when all
 * faults are over. One thread at a time.
 */
final class Teller {
  /** Answers that no call may ever get: the customers ask for nothing wrong. */
  private static final Set<ErrorCode> NEVER =
      EnumSet.of(
          ErrorCode.INTERNAL,
          ErrorCode.NOT_IMPLEMENTED,
          ErrorCode.METHOD_NOT_ALLOWED,
          ErrorCode.REPOSITORY_DAMAGED,
          ErrorCode.REPOSITORY_UNUSABLE,
          ErrorCode.PAYLOAD_TOO_LARGE,
          ErrorCode.HOST_NOT_FOUND,
          ErrorCode.DIGEST_MISMATCH);

  private static final int REPEATS_MAX = 3;

  private static final RequestOutcome NOTHING_COMMITTED = new RequestOutcome(false, null, null, 0);

  private static final Duration LOST_TRY_OVER = ClientSettings.DEFAULT.lostTryOver();

  /** What was answered, of whichever kind. */
  record Answer(String id, long commit, Object body) {
    static Answer of(Object body) {
      return switch (body) {
        case CreatedImage created -> new Answer(created.imageId(), created.commit(), body);
        case Committed committed -> new Answer("", committed.commit(), body);
        case OpenedImage opened -> new Answer(opened.openId(), opened.commit(), body);
        case UploadInfo upload -> new Answer(upload.uploadId(), upload.commit(), body);
        case FixQueued queued -> new Answer(queued.fixId(), queued.commit(), body);
        default -> throw new IllegalArgumentException(body.toString());
      };
    }
  }

  /** Sends a call through whichever client. */
  interface Ask {
    Object ask(StorageApi api, String requestId);
  }

  /**
   * What a call is about and may meet.
   *
   * @param touches images that are left alone while its outcome is unknown
   * @param mayMeet refusals that are nobody's fault
   * @param here whether only the host of the client that it was made with can answer it
   */
  record Errand(
      String operation,
      String repoId,
      List<Owned> touches,
      Set<ErrorCode> mayMeet,
      StorageApi api,
      boolean here,
      Ask ask,
      Consumer<Answer> done) {}

  private record Pending(Call call, Errand errand) {}

  private final History history;
  private final Random random;
  private final String name;
  private final Deque<Pending> pending = new ArrayDeque<>();
  private int number;

  Teller(History history, Random random, String name) {
    this.history = history;
    this.random = random;
    this.name = name;
  }

  /** The id of the next call, for what the call itself says. */
  String nextId() {
    return name + "-" + (number + 1);
  }

  void run(Errand errand) {
    number++;
    Call call = history.begin(errand.operation(), errand.repoId(), name + "-" + number);
    errand.touches().forEach(each -> each.doubts++);
    boolean repeat = random.nextInt(3) > 0;
    for (int tries = 0; tries <= REPEATS_MAX; tries++) {
      if (once(call, errand, errand.api())) {
        return;
      }
      if (!repeat) {
        break;
      }
    }
    pending.add(new Pending(call, errand));
  }

  /** Whether its outcome is known now. */
  private boolean once(Call call, Errand errand, StorageApi api) {
    Answer answer;
    try {
      answer = Answer.of(errand.ask().ask(api, call.requestId));
    } catch (StorageException e) {
      if (e.code() == ErrorCode.OUTCOME_UNKNOWN) {
        call.unknown(System.nanoTime());
        return false;
      }
      RequestOutcome outcome = call.wasLost() ? settled(call, api) : NOTHING_COMMITTED;
      if (outcome == null || (outcome.committed() && e.code() != ErrorCode.OPEN_NOT_FOUND)) {
        call.stillUnknown(System.nanoTime());
        return false;
      }
      if (outcome.committed()) {
        // Its host died, and what was open there has been closed.
        call.acknowledged(String.valueOf(outcome.id()), outcome.commit(), System.nanoTime());
        errand.touches().forEach(each -> each.doubts--);
        return true;
      }
      call.refused(e.code(), System.nanoTime());
      errand.touches().forEach(each -> each.doubts--);
      judge(call, errand, e);
      return true;
    }
    call.acknowledged(answer.id(), answer.commit(), System.nanoTime());
    errand.touches().forEach(each -> each.doubts--);
    errand.done().accept(answer);
    return true;
  }

  /** Null as long as nobody can tell: of a try that may be under way a refusal says nothing. */
  private static @Nullable RequestOutcome settled(Call call, StorageApi api) {
    if (System.nanoTime() - call.lostNanos() < LOST_TRY_OVER.toNanos()) {
      return null;
    }
    try {
      return api.cancelRequest(call.repoId, call.requestId);
    } catch (StorageException e) {
      return null;
    }
  }

  private void judge(Call call, Errand errand, StorageException e) {
    boolean fine =
        e.code().retryable()
            || e.code() == ErrorCode.REPOSITORY_NOT_CONNECTED
            // The storage may be full for a while, and is the customer's own.
            || e.code() == ErrorCode.NO_SPACE
            || (e.code() == ErrorCode.REQUEST_ID_REUSED && call.wasLost())
            || errand.mayMeet().contains(e.code());
    if (NEVER.contains(e.code()) || !fine) {
      history.violation(call + " was refused: " + e.code() + " " + e.getMessage());
    }
  }

  boolean hasPending() {
    return !pending.isEmpty();
  }

  /**
   * Repeats the oldest call that nobody knows the outcome of, once.
   *
   * @param anywhere for calls that any agent can answer
   */
  void repeat(StorageApi anywhere) {
    Pending next = pending.removeFirst();
    StorageApi api = next.errand().here() ? next.errand().api() : anywhere;
    if (!once(next.call(), next.errand(), api)) {
      pending.addLast(next);
    }
  }
}
