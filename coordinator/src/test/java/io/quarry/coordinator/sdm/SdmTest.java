package io.quarry.coordinator.sdm;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.quarry.common.model.ImageState;
import io.quarry.common.model.Strategy;
import io.quarry.coordinator.log.DirectorySlotStore;
import io.quarry.coordinator.log.LogReader;
import io.quarry.coordinator.log.LogState;
import io.quarry.coordinator.log.Replica;
import io.quarry.coordinator.plan.CreateVirtualDisk;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.Reply;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SdmTest {
  @TempDir Path root;

  @BeforeEach
  void layOut() throws Exception {
    Files.createDirectories(root.resolve("log"));
    Files.createDirectories(root.resolve("tmp"));
  }

  static final SdmListener SILENT =
      new SdmListener() {
        @Override
        public void leading(LogState state) {}

        @Override
        public void committed(LogState before, LogState after) {}

        @Override
        public void steppedDown(String reason) {}
      };

  static CreateVirtualDisk disk() {
    return new CreateVirtualDisk(
        UUID.randomUUID().toString(),
        UUID.randomUUID().toString(),
        1 << 20,
        null,
        Strategy.SPACE,
        true,
        JsonNodeFactory.instance.objectNode(),
        null);
  }

  @Test
  void acknowledgedDisksAreSeenByAFreshReader() throws Exception {
    Set<String> acknowledged;
    try (DirectorySlotStore store = new DirectorySlotStore(root, "a");
        Replica replica = new Replica("main", store);
        Sdm sdm = new Sdm("main", store, replica, "a", InstantSource.system(), SILENT)) {
      sdm.lead();
      Awaitility.await().until(sdm::leading);
      List<CompletableFuture<Reply>> answers = new ArrayList<>();
      long start = System.nanoTime();
      for (int i = 0; i < 5_000; i++) {
        answers.add(sdm.submit(UUID.randomUUID().toString(), disk()));
      }
      CompletableFuture.allOf(answers.toArray(CompletableFuture[]::new)).get(30, TimeUnit.SECONDS);
      System.out.printf("5000 commits in %d ms%n", (System.nanoTime() - start) / 1_000_000);
      start = System.nanoTime();
      for (int i = 0; i < 1_500; i++) {
        answers.add(sdm.submit(UUID.randomUUID().toString(), disk()));
        answers.getLast().get(30, TimeUnit.SECONDS);
      }
      System.out.printf(
          "1500 single commits, %d us each%n", (System.nanoTime() - start) / 1_500_000);
      acknowledged = answers.stream().map(one -> one.join().id()).collect(Collectors.toSet());
    }
    try (DirectorySlotStore store = new DirectorySlotStore(root, "b")) {
      LogState fresh = new LogReader(store).load();
      assertThat(fresh.repository().images().keySet())
          .containsExactlyInAnyOrderElementsOf(acknowledged);
      Image any = fresh.repository().images().values().iterator().next();
      assertThat(fresh.repository().stateOf(any)).isEqualTo(ImageState.BROKEN);
      assertThat(store.list()).anyMatch(name -> name.endsWith(".checkpoint"));
    }
  }

  @Test
  void repeatedRequestIdHasOneEffect() throws Exception {
    try (DirectorySlotStore store = new DirectorySlotStore(root, "a");
        Replica replica = new Replica("main", store);
        Sdm sdm = new Sdm("main", store, replica, "a", InstantSource.system(), SILENT)) {
      sdm.lead();
      Awaitility.await().until(sdm::leading);
      Reply first = sdm.submit("r1", disk()).get(5, TimeUnit.SECONDS);
      Reply second = sdm.submit("r1", disk()).get(5, TimeUnit.SECONDS);
      assertThat(second).isEqualTo(first);
      assertThat(replica.state().repository().images()).hasSize(1);
    }
  }
}
