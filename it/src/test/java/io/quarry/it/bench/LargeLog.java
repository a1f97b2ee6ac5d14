package io.quarry.it.bench;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.quarry.common.model.Strategy;
import io.quarry.coordinator.log.LogState;
import io.quarry.coordinator.log.Replica;
import io.quarry.coordinator.log.SlotStore;
import io.quarry.coordinator.plan.CreateVirtualDisk;
import io.quarry.coordinator.plan.FinishMend;
import io.quarry.coordinator.plan.FixState;
import io.quarry.coordinator.plan.Reply;
import io.quarry.coordinator.plan.Request;
import io.quarry.coordinator.sdm.Sdm;
import io.quarry.coordinator.sdm.SdmListener;
import io.quarry.coordinator.thread.Supervisor;
import java.time.Clock;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;

/** The log of a large repository of whole disks, whose files do not exist. */
public final class LargeLog {
  public static final int IMAGES = 100_000;
  private static final int IN_FLIGHT = 4_000;

  private LargeLog() {}

  /**
   * @param store of an empty log
   */
  public static LogState fill(SlotStore store) throws Exception {
    try (Replica replica = new Replica("large", store)) {
      CountDownLatch begun = new CountDownLatch(1);
      try (Sdm sdm =
          new Sdm(
              store,
              replica,
              "large",
              Clock.systemUTC(),
              leading(begun::countDown),
              new Supervisor())) {
        sdm.lead();
        begun.await();
        Queue<CompletableFuture<Reply>> inFlight = new ArrayDeque<>();
        for (int i = 0; i < IMAGES; i++) {
          String volumeId = id();
          submit(sdm, disk(volumeId, i), inFlight);
          String fixId = FixState.mendId(volumeId);
          submit(sdm, new FinishMend(fixId, volumeId, 1, volumeId + ".1.raw"), inFlight);
        }
        for (CompletableFuture<Reply> each : inFlight) {
          var _ = each.get();
        }
      }
      return replica.state();
    }
  }

  private static void submit(Sdm sdm, Request request, Queue<CompletableFuture<Reply>> inFlight)
      throws Exception {
    inFlight.add(sdm.submit(id(), request));
    if (inFlight.size() > IN_FLIGHT) {
      var _ = inFlight.remove().get();
    }
  }

  static Request disk(String volumeId, int number) {
    return new CreateVirtualDisk(
        id(),
        volumeId,
        10L << 30,
        null,
        null,
        Strategy.SPACE,
        true,
        JsonNodeFactory.instance.objectNode().put("name", "vm-" + number),
        null);
  }

  static String id() {
    return UUID.randomUUID().toString();
  }

  /**
   * @param begun runs when the SDM accepts requests
   */
  static SdmListener leading(Runnable begun) {
    return new SdmListener() {
      @Override
      public void leading(LogState state) {
        begun.run();
      }

      @Override
      public void committed(LogState before, LogState after) {}

      @Override
      public void steppedDown(String reason) {}
    };
  }
}
