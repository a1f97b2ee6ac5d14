package io.quarry.agent.call;

import io.quarry.common.api.CheckOptions;
import io.quarry.common.api.CheckReport;
import io.quarry.common.api.Committed;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.Event;
import io.quarry.common.api.EventStream;
import io.quarry.common.api.Fix;
import io.quarry.common.api.FixInfo;
import io.quarry.common.api.FixPage;
import io.quarry.common.api.FixQuery;
import io.quarry.common.api.FixQueued;
import io.quarry.common.api.FixRequest;
import io.quarry.common.api.PageQuery;
import io.quarry.common.api.Problem;
import io.quarry.common.api.RequestOutcome;
import io.quarry.common.api.StorageException;
import io.quarry.common.api.TaskInfo;
import io.quarry.common.api.TaskPage;
import io.quarry.common.model.FixType;
import io.quarry.common.model.Progress;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/**
 * A small storage in memory. Its one host works while a test looks: each look at a status or at the
 * fixes moves every queued fix on by a quarter. For one thread at a time.
 */
public final class FakeStorage extends FakeTransfers {
  /** What no fix puts right, in any repository. */
  public final List<Problem> problems = new ArrayList<>();

  @Override
  public CheckReport checkStorageRepository(String repoId, CheckOptions options) {
    images(repoId);
    if (options.deep()) {
      return deep(options.after() == null ? 0 : Integer.parseInt(options.after()));
    }
    return CheckReport.of(
        works.stream()
            .filter(work -> work.repo.equals(repoId))
            .map(work ->
                new Fix(
                    work.type,
                    work.image.id,
                    work.type == FixType.CLEAN ? "nothing needs it" : "its data is not complete",
                    work.type == FixType.CLEAN ? 0 : work.image.size,
                    work.type == FixType.CLEAN ? work.image.size : 0,
                    work.type.priority(),
                    work.state,
                    work.lastError,
                    "v1:" + work.id))
            .toList(),
        List.copyOf(problems),
        null,
        commit);
  }

  /** Reads one GiB a call, and finds the same in each. */
  private CheckReport deep(int read) {
    String next = read == 2 ? null : Integer.toString(read + 1);
    return CheckReport.of(
        List.of(), problems, new CheckReport.Reading((read + 1) * GIB, 3 * GIB, next), commit);
  }

  @Override
  public FixQueued fixStorageRepository(
      String repoId, FixRequest request, @Nullable String requestId) {
    Work work =
        works.stream()
            .filter(each -> request.fix().data().equals("v1:" + each.id))
            .findFirst()
            .orElseThrow(() ->
                new StorageException(
                    ErrorCode.FIX_STALE,
                    "the fix no longer applies",
                    String.valueOf(request.fix().imageId()),
                    "Check the repository again."));
    work.state = work.state.equals("paused") ? "paused" : "queued";
    work.lastError = null;
    return new FixQueued(work.id, ++commit);
  }

  @Override
  public FixPage listFixes(String repoId, FixQuery query) {
    work();
    List<FixInfo> all =
        works.stream()
            .filter(work -> work.repo.equals(repoId))
            .map(work ->
                new FixInfo(
                    work.id,
                    work.type,
                    work.image.id,
                    work.state,
                    work.type.priority(),
                    work.lastError == null ? 0 : 3,
                    work.state.equals("running") ? "host-1" : null,
                    null,
                    work.lastError,
                    null,
                    work.progress()))
            .toList();
    return new FixPage(all, null);
  }

  @Override
  public Committed pauseFix(String repoId, String fixId, @Nullable String requestId) {
    work(repoId, fixId).state = "paused";
    return committed();
  }

  @Override
  public Committed resumeFix(String repoId, String fixId, @Nullable String requestId) {
    work(repoId, fixId).state = "queued";
    return committed();
  }

  /** Requests whose id begins like this were committed before. */
  static final String COMMITTED = "committed";

  @Override
  public RequestOutcome cancelRequest(String repoId, String requestId) {
    images(repoId);
    return requestId.startsWith(COMMITTED) || answers.containsKey(requestId)
        ? new RequestOutcome(true, "createVirtualDisk", "disk-1", commit)
        : new RequestOutcome(false, null, null, ++commit);
  }

  private Work work(String repoId, String fixId) {
    images(repoId);
    return works.stream()
        .filter(each -> each.id.equals(fixId))
        .findFirst()
        .orElseThrow(() ->
            new StorageException(
                ErrorCode.FIX_NOT_FOUND, "no such fix", fixId, "See quarry queue list."));
  }

  @Override
  public TaskPage listTasks(@Nullable String hostId, PageQuery query) {
    work();
    List<TaskInfo> running =
        works.stream()
            .filter(work -> work.state.equals("running"))
            .map(work ->
                new TaskInfo(
                    "host-1:" + work.id + ":1",
                    "host-1",
                    work.repo,
                    work.id,
                    work.type,
                    work.image.id,
                    1,
                    NOON,
                    300 << 20,
                    work.progress()))
            .toList();
    return query.of(running, TaskInfo::taskId, TaskPage::new);
  }

  @Override
  public void stopTask(String taskId) {
    Work work = task(taskId);
    work.state = "waiting";
    work.lastError = "stopped by hand";
  }

  @Override
  public void releaseTask(String taskId) {
    task(taskId).state = "queued";
  }

  private Work task(String taskId) {
    return works.stream()
        .filter(work -> taskId.equals("host-1:" + work.id + ":1"))
        .findFirst()
        .orElseThrow(() ->
            new StorageException(
                ErrorCode.TASK_NOT_FOUND, "no such task runs", taskId, "See quarry task list."));
  }

  @Override
  public EventStream watchEvents(@Nullable String since) {
    Queue<Event> events = new ArrayDeque<>(events());
    if ("event-1".equals(since)) {
      events.removeIf(event -> event instanceof Event.Commit);
    } else if (since != null && !since.equals("0")) {
      throw StorageException.invalid("since", since + " is no event's id", "Give one.");
    }
    return new EventStream() {
      @Override
      public @Nullable Event next(Duration timeout) {
        return events.poll();
      }

      @Override
      public void close() {}
    };
  }

  private static List<Event> events() {
    var made = new Event.Operation("createVirtualDisk", "disk-1", "r-1", List.of("disk-1"));
    var granted = new Event.Operation("grantFixes", "host-1", "r-2", List.of());
    var progress = new Progress("host-1", "1/2", "copy", 25, GIB / 4, GIB, null, NOON);
    var task =
        new TaskInfo(
            "host-1:fix-1:1",
            "host-1",
            "main",
            "fix-1",
            FixType.MEND,
            "disk-1",
            1,
            NOON,
            GIB,
            progress);
    return List.of(
        new Event.Start("event-0"),
        new Event.Commit("event-1", "main", 1, NOON, List.of(made, granted)),
        new Event.Commit("event-2", "main", 2, NOON.plusSeconds(1), List.of()),
        new Event.Progress(task),
        new Event.Reset("event-3", "backup", 12));
  }
}
