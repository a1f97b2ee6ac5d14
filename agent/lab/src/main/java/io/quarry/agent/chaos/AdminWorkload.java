package io.quarry.agent.chaos;

import io.quarry.agent.chaos.Arena.Member;
import io.quarry.agent.chaos.RecordingClient.Ask;
import io.quarry.agent.chaos.RecordingClient.Errand;
import io.quarry.common.api.CheckOptions;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.Fix;
import io.quarry.common.api.FixInfo;
import io.quarry.common.api.FixRequest;
import io.quarry.common.api.ImageQuery;
import io.quarry.common.api.StatusQuery;
import io.quarry.common.api.StorageApi;
import io.quarry.common.api.StorageException;
import io.quarry.common.api.TaskInfo;
import io.quarry.common.client.StorageClient;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.BooleanSupplier;

/** An administrator who changes settings all the time. One thread at a time may call. */
final class AdminWorkload {
  private static final Duration THINKS_MAX = Duration.ofMillis(900);
  private static final Set<ErrorCode> STALE =
      EnumSet.of(
          ErrorCode.FIX_STALE,
          ErrorCode.FIX_NOT_FOUND,
          ErrorCode.TASK_NOT_FOUND,
          ErrorCode.IMAGE_NOT_FOUND,
          ErrorCode.IMAGE_IN_USE,
          ErrorCode.NOT_FOUND,
          ErrorCode.HOST_NOT_FOUND,
          ErrorCode.REPOSITORY_NOT_CONNECTED,
          ErrorCode.STORAGE_MISMATCH);

  private final SharedWorkload market;
  private final Random random;
  private final StorageClient client;
  private final RecordingClient teller;

  AdminWorkload(SharedWorkload market, long seed) {
    this.market = market;
    this.random = new Random(seed);
    this.client = market.client(0);
    this.teller = new RecordingClient(market.history(), random, "m");
  }

  void live(BooleanSupplier over) throws InterruptedException {
    while (!over.getAsBoolean()) {
      try {
        act();
      } catch (StorageException e) {
        if (!e.code().retryable() && !STALE.contains(e.code())) {
          market.history().violation("an administrator met " + e.code() + ": " + e.getMessage());
        }
      }
      Thread.sleep(random.nextLong(THINKS_MAX.toMillis()));
    }
  }

  private void act() {
    String repoId = market.repositories().get(random.nextInt(market.repositories().size()));
    int drawn = random.nextInt(100);
    if (drawn < 30) {
      fixSome(repoId);
    } else if (drawn < 50) {
      pauseAndResume(repoId);
    } else if (drawn < 65) {
      meetTask();
    } else if (drawn < 75) {
      Member host = market.members().get(random.nextInt(market.members().size()));
      client.drainHost(host.hostId(), random.nextInt(3) == 0);
    } else {
      look(repoId);
    }
  }

  private void fixSome(String repoId) {
    for (Fix fix : client.checkStorageRepository(repoId, CheckOptions.DEFAULT).fixes()) {
      if (fix.state().equals("waiting") && random.nextInt(3) > 0) {
        Ask ask =
            (to, requestId) -> to.fixStorageRepository(repoId, new FixRequest(fix), requestId);
        run("fixStorageRepository", repoId, ask);
      }
    }
  }

  private void pauseAndResume(String repoId) {
    List<FixInfo> fixes = client.listFixes(repoId, 0);
    if (!fixes.isEmpty()) {
      String fixId = fixes.get(random.nextInt(fixes.size())).fixId();
      run("pauseFix", repoId, (to, requestId) -> to.pauseFix(repoId, fixId, requestId));
      run("resumeFix", repoId, (to, requestId) -> to.resumeFix(repoId, fixId, requestId));
    }
  }

  private void meetTask() {
    List<TaskInfo> tasks = client.listTasks(null);
    if (!tasks.isEmpty()) {
      String taskId = tasks.get(random.nextInt(tasks.size())).taskId();
      if (random.nextBoolean()) {
        client.stopTask(taskId);
      } else {
        client.releaseTask(taskId);
      }
    }
  }

  private void look(String repoId) {
    var _ = client.listHosts();
    client.listImages(repoId, ImageQuery.ALL).images().stream()
        .limit(3)
        .forEach(image -> {
          var _ = client.getImageStatus(repoId, image.imageId(), StatusQuery.NOW);
          var _ = client.explainImage(repoId, image.imageId(), 0);
        });
  }

  private void run(String operation, String repoId, Ask ask) {
    teller.run(new Errand(operation, repoId, List.of(), STALE, client, false, ask, answer -> {}));
  }

  boolean hasDoubts() {
    return teller.hasPending();
  }

  void settle(StorageApi anywhere) {
    teller.repeat(anywhere);
  }

  void close() {
    client.close();
  }
}
