package io.quarry.agent.chaos;

import io.quarry.agent.chaos.Arena.Member;
import io.quarry.common.api.CheckOptions;
import io.quarry.common.api.CheckReport;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.Fix;
import io.quarry.common.api.FixInfo;
import io.quarry.common.api.FixRequest;
import io.quarry.common.api.ImageInfo;
import io.quarry.common.api.ImagePage;
import io.quarry.common.api.ImageQuery;
import io.quarry.common.api.StorageException;
import io.quarry.common.client.StorageClient;
import io.quarry.common.model.Visibility;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Completes all calls and fixes when the faults are over. */
final class Quiescence {
  /** Enough for fixes whose tries met so many faults that they pause for a minute. */
  private static final Duration END_MAX = Duration.ofMinutes(5);

  private static final Duration EVERY = Duration.ofMillis(200);
  private static final Duration STEP = Duration.ofMillis(20);
  private static final Duration TELL_EVERY = Duration.ofSeconds(15);

  /** The states of fixes that wait for a request. */
  private static final Set<String> ASLEEP = Set.of("waiting", "parked", "retrying");

  private final StorageClient client;
  private final SharedWorkload market;

  Quiescence(StorageClient client, SharedWorkload market) {
    this.client = client;
    this.market = market;
  }

  /** Learns the outcome of each call, and waits for all fixes. */
  void run(List<Workload> customers, AdminWorkload meddler) throws InterruptedException {
    long deadline = System.nanoTime() + END_MAX.toNanos();
    for (Member member : market.members()) {
      insist(deadline, () -> client.drainHost(member.hostId(), false));
      insist(deadline, () -> client.withAgents(List.of(member.agent())).setThrottle(0));
    }
    for (Workload customer : customers) {
      while (customer.hasDoubts() && System.nanoTime() < deadline) {
        customer.settle(client);
        Thread.sleep(STEP);
      }
    }
    while (meddler.hasDoubts() && System.nanoTime() < deadline) {
      meddler.settle(client);
      Thread.sleep(STEP);
    }
    for (String repoId : market.repositories()) {
      String left = "";
      long told = System.nanoTime();
      while (System.nanoTime() < deadline) {
        left = left(repoId);
        if (left.isEmpty()) {
          break;
        }
        if (System.nanoTime() - told > TELL_EVERY.toNanos()) {
          market.history().moment("still in " + repoId + ": " + left);
          told = System.nanoTime();
        }
        Thread.sleep(EVERY);
      }
      if (!left.isEmpty()) {
        market.history().violation(repoId + " does not converge: " + left);
      }
    }
  }

  /** Repeats a call until it succeeds: a host that answers may not be known to all others yet. */
  private static void insist(long deadline, Runnable call) throws InterruptedException {
    while (true) {
      try {
        call.run();
        return;
      } catch (StorageException e) {
        if (System.nanoTime() > deadline) {
          throw e;
        }
        Thread.sleep(EVERY);
      }
    }
  }

  /** The outstanding fixes, in words; requests fixes that wait for a request. */
  private String left(String repoId) {
    try {
      CheckReport report = client.checkStorageRepository(repoId, CheckOptions.DEFAULT);
      for (Fix fix : report.fixes()) {
        if (ASLEEP.contains(fix.state())) {
          ask(repoId, fix);
        }
      }
      List<FixInfo> listed =
          client.listFixes(repoId, 0).stream().filter(fix -> !retained(fix)).toList();
      for (FixInfo fix : listed) {
        if (fix.state().equals("paused")) {
          var _ = client.resumeFix(repoId, fix.fixId(), null);
        }
      }
      List<Object> left = new ArrayList<>(report.fixes());
      left.addAll(report.problems());
      left.addAll(listed);
      return left.isEmpty() ? "" : left.size() + " things are left, the first: " + left.getFirst();
    } catch (StorageException e) {
      return e.code() + " " + e.getMessage();
    }
  }

  /** Whether the fix is about an image that can still be restored. */
  private static boolean retained(FixInfo fix) {
    Instant until = fix.nextRetryAt();
    return until != null && until.isAfter(Instant.now().plus(Owned.RETAIN.dividedBy(2)));
  }

  private void ask(String repoId, Fix fix) {
    try {
      var _ = client.fixStorageRepository(repoId, new FixRequest(fix), null);
    } catch (StorageException e) {
      if (e.code() != ErrorCode.FIX_STALE) {
        throw e;
      }
    }
  }

  /** Every image that is visible, or can be restored. */
  List<ImageInfo> images(String repoId, Visibility visibility) {
    List<ImageInfo> found = new ArrayList<>();
    @Nullable String after = null;
    do {
      ImagePage page =
          client.listImages(
              repoId, new ImageQuery(null, null, visibility, null, after, ImageQuery.LIMIT_MAX, 0));
      found.addAll(page.images());
      after = page.next();
    } while (after != null);
    return found;
  }
}
