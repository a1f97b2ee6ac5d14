package io.quarry.coordinator.sdm;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.log.CommitLog;
import io.quarry.coordinator.log.LogRecord.Entry;
import io.quarry.coordinator.log.LogState;
import io.quarry.coordinator.plan.Feature;
import io.quarry.coordinator.plan.Reply;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Request;
import io.quarry.coordinator.plan.RequestId;
import io.quarry.coordinator.plan.Transaction;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The requests of one record. Each is planned on the state that the requests before it leave. No
 * caller gets an answer before the record is committed, not even a refusal or a repeat: the answer
 * may rest on the record, and would be wrong without it.
 */
final class Batch {
  private static final Logger LOG = LoggerFactory.getLogger(Batch.class);

  /** Requests in one record. */
  private static final int REQUESTS_MAX = 512;

  /** The last request of a record may begin below this limit. */
  static final long RECORD_BYTES_MAX = 1 << 20;

  private final long commit;
  private final Instant now;
  private final @Nullable StorageException full;
  private final Predicate<Request> admitted;
  private final List<Submission> submissions = new ArrayList<>();
  private final List<Entry> entries = new ArrayList<>();
  private final List<Runnable> answers = new ArrayList<>();
  private RepositoryState state;
  private long bytes;

  Batch(LogState after, Instant now) {
    this(after, now, null, request -> true);
  }

  /**
   * @param full the error for requests that would change something and find no room; null when
   *     there is room for all
   * @param admitted tells the requests that there is room for
   */
  Batch(LogState after, Instant now, @Nullable StorageException full, Predicate<Request> admitted) {
    this.full = full;
    this.admitted = admitted;
    this.commit = after.sequence() + 1;
    this.now = now;
    this.state = after.repository();
  }

  void plan(Submission submission) {
    submissions.add(submission);
    RequestId call = submission.requestId();
    Reply earlier = state.requests().find(call.value());
    Transaction transaction = new Transaction(state, commit, now);
    try {
      if (earlier != null) {
        Reply repeated = earlier.repeated(call, submission.request());
        answers.add(() -> submission.answer().complete(repeated));
        return;
      }
      Reply planned = submission.request().plan(transaction);
      boolean bound = state.schema().has(Feature.CALL_DIGESTS);
      Reply reply = bound ? planned.to(call) : planned;
      if (full != null && !admitted.test(submission.request())) {
        throw full;
      }
      Entry entry = new Entry(call.value(), reply, transaction.changes());
      RepositoryState next = transaction.state().remember(call.value(), reply);
      bytes += encodedBytes(entry);
      state = next;
      entries.add(entry);
      answers.add(() -> submission.answer().complete(reply));
    } catch (StorageException e) {
      answers.add(() -> submission.answer().completeExceptionally(e));
    } catch (RuntimeException | Error e) {
      // Planning changes only the transaction: the term and the other requests go on.
      LOG.error("Planning {} failed", submission.request().operation(), e);
      answers.add(() -> submission.answer().completeExceptionally(failed(submission, e)));
    }
  }

  /** A request that no record can hold must not fail the other requests of its record. */
  private static long encodedBytes(Entry entry) {
    long size;
    try {
      size = CommitLog.bytesOf(entry);
    } catch (JsonProcessingException e) {
      throw new StorageException(
          ErrorCode.INVALID_ARGUMENT,
          "the request cannot be written to the log: " + e.getOriginalMessage(),
          entry.requestId(),
          "change the data that the request carries; nothing was changed",
          e);
    }
    if (size > CommitLog.ENTRY_BYTES_MAX) {
      throw StorageException.invalid(
          entry.requestId(),
          "the request would take " + size + " bytes of the log",
          "split the request: one takes at most "
              + CommitLog.ENTRY_BYTES_MAX
              + " bytes; nothing was changed");
    }
    return size;
  }

  private static StorageException failed(Submission submission, Throwable why) {
    return new StorageException(
        ErrorCode.INTERNAL,
        "the request " + submission.request().operation() + " could not be planned: " + why,
        submission.requestId().value(),
        "report it with the agent's log; nothing was changed",
        why);
  }

  /** Whether another request fits into this record. */
  boolean hasRoom() {
    return submissions.size() < REQUESTS_MAX && bytes < RECORD_BYTES_MAX;
  }

  List<Submission> submissions() {
    return submissions;
  }

  List<Entry> entries() {
    return entries;
  }

  /** The record is committed, or there was nothing to commit. */
  void answer() {
    answers.forEach(Runnable::run);
  }

  /**
   * The record is not committed, or its outcome is unknown. The same then holds for each answer
   * that rests on it.
   */
  void fail(StorageException why) {
    submissions.forEach(submission -> submission.answer().completeExceptionally(why));
  }
}
