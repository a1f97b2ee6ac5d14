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
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Makes one customer's calls, each under a request id of its own, and records their outcomes. A
 * call whose outcome is unknown is repeated under its id: some at once, some only when all faults
 * are over. One thread at a time may call.
 */
final class RecordingClient {
  /** Codes that no call may ever get, since the customers send no invalid calls. */
  private static final Set<ErrorCode> NEVER =
      EnumSet.of(
          ErrorCode.INTERNAL,
          ErrorCode.METHOD_NOT_ALLOWED,
          ErrorCode.REPOSITORY_DAMAGED,
          ErrorCode.REPOSITORY_UNUSABLE,
          ErrorCode.PAYLOAD_TOO_LARGE,
          ErrorCode.HOST_NOT_FOUND,
          ErrorCode.DIGEST_MISMATCH);

  /** Codes of a host whose path leads to another storage for a while. */
  static final Set<ErrorCode> ELSEWHERE =
      EnumSet.of(ErrorCode.REPOSITORY_NOT_CONNECTED, ErrorCode.STORAGE_MISMATCH);

  /** Codes for a call under another call's key, and codes that ask for another try. */
  private static final Set<ErrorCode> KEY_REUSED =
      EnumSet.of(
          ErrorCode.REQUEST_ID_REUSED,
          ErrorCode.REPOSITORY_NOT_CONNECTED,
          ErrorCode.STORAGE_MISMATCH);

  private static final Set<String> MAKING =
      Set.of("createVirtualDisk", "createSnapshot", "copyImage");

  private static final int REPEATS_MAX = 3;

  /** One in so many calls is first sent under the key of an earlier call. */
  private static final int REUSE_ONE_IN = 8;

  private static final RequestOutcome NOTHING_COMMITTED = new RequestOutcome(false, null, null, 0);

  private static final Duration LOST_TRY_OVER = ClientSettings.DEFAULT.lostTryOver();

  /** The answer to any kind of call. */
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

  /** Sends a call through the given client. */
  interface Ask {
    Object ask(StorageApi api, String requestId);
  }

  /**
   * The subject of a call, and its allowed refusals.
   *
   * @param touches images that the customer leaves alone while the outcome is unknown
   * @param mayMeet refusals that are no violation
   * @param here whether only the host of the call's client can answer the call
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

  private record Pending(Invocation call, Errand errand) {}

  private final History history;
  private final Random random;
  private final String name;
  private final Deque<Pending> pending = new ArrayDeque<>();

  /** The latest acknowledged call, by operation and repository. */
  private final Map<String, Pending> acknowledged = new HashMap<>();

  private int number;

  RecordingClient(History history, Random random, String name) {
    this.history = history;
    this.random = random;
    this.name = name;
  }

  /** The id of the next call, for calls whose content includes the id. */
  String nextId() {
    return name + "-" + (number + 1);
  }

  void run(Errand errand) {
    reuse(errand);
    number++;
    Invocation call = history.begin(errand.operation(), errand.repoId(), name + "-" + number);
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

  /**
   * Sends the call under the key of an earlier call of the same kind: it must have no effect, and
   * get no answer.
   */
  private void reuse(Errand errand) {
    Pending earlier = acknowledged.get(kind(errand));
    if (earlier == null
        || random.nextInt(REUSE_ONE_IN) > 0
        || !isAnother(errand, earlier.errand())) {
      return;
    }
    try {
      Object answer = errand.ask().ask(errand.api(), earlier.call().requestId);
      history.violation(
          "another call under the key of %s was answered: %s".formatted(earlier.call(), answer));
    } catch (StorageException e) {
      if (!KEY_REUSED.contains(e.code()) && !e.code().retryable()) {
        history.violation(
            "another call under the key of %s was refused: %s %s"
                .formatted(earlier.call(), e.code(), e.getMessage()));
      }
    }
  }

  /**
   * Whether both calls differ. A call that makes an image has a label of its own; for other calls
   * the images differ.
   */
  private static boolean isAnother(Errand errand, Errand earlier) {
    return MAKING.contains(errand.operation()) || !earlier.touches().equals(errand.touches());
  }

  private static String kind(Errand errand) {
    return errand.operation() + " " + errand.repoId();
  }

  /** Whether the outcome is known now. */
  private boolean once(Invocation call, Errand errand, StorageApi api) {
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
        // The call's host died, and its open there has been closed.
        call.acknowledged(String.valueOf(outcome.id()), outcome.commit(), System.nanoTime());
        errand.touches().forEach(each -> each.doubts--);
        return true;
      }
      if (isToBeRepeated(errand, e.code())) {
        call.stillUnknown(System.nanoTime());
        return false;
      }
      call.refused(e.code(), System.nanoTime());
      errand.touches().forEach(each -> each.doubts--);
      judge(call, errand, e);
      return true;
    }
    call.acknowledged(answer.id(), answer.commit(), System.nanoTime());
    acknowledged.put(kind(errand), new Pending(call, errand));
    errand.touches().forEach(each -> each.doubts--);
    errand.done().accept(answer);
    return true;
  }

  /** Whether the call must be repeated: otherwise a disk stays open whose VM has ended. */
  private static boolean isToBeRepeated(Errand errand, ErrorCode code) {
    return errand.operation().equals("closeImage")
        && (code.retryable() || ELSEWHERE.contains(code));
  }

  /**
   * The outcome; null while it is unknown. A refusal proves nothing about an earlier try that may
   * be under way.
   */
  private static @Nullable RequestOutcome settled(Invocation call, StorageApi api) {
    if (System.nanoTime() - call.lostNanos() < LOST_TRY_OVER.toNanos()) {
      return null;
    }
    try {
      return api.cancelRequest(call.repoId, call.requestId);
    } catch (StorageException e) {
      return null;
    }
  }

  private void judge(Invocation call, Errand errand, StorageException e) {
    boolean fine =
        e.code().retryable()
            || ELSEWHERE.contains(e.code())
            // The storage may be full for a while, since the customers themselves fill it.
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
   * Repeats the oldest call whose outcome is unknown, once.
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
