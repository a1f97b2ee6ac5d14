package io.quarry.agent.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarry.agent.AgentsUnderTest;
import io.quarry.agent.AtPlace;
import io.quarry.agent.fix.Checkpoint;
import io.quarry.agent.fix.FixStore;
import io.quarry.agent.format.RepositoryFormats;
import io.quarry.agent.format.RepositoryStorage;
import io.quarry.common.api.BeginUploadRequest;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.FinishUploadRequest;
import io.quarry.common.api.RemoveImageOptions;
import io.quarry.common.api.StorageException;
import io.quarry.common.api.UploadInfo;
import io.quarry.common.api.UploadRange;
import io.quarry.common.client.StorageClient;
import io.quarry.coordinator.fault.FaultPoints;
import io.quarry.coordinator.plan.FixState.Worker;
import java.io.ByteArrayInputStream;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What is answered is true, whatever other calls and other agents do at the same time. */
@Timeout(300)
final class AnswersTest {
  private static final int MIB = 1 << 20;
  private static final int SIZE = 4 * MIB;

  @TempDir static Path directory;

  private static AgentsUnderTest agents;
  private static StorageClient client;
  private static StorageClient other;

  @BeforeAll
  static void start() throws Exception {
    agents = AgentsUnderTest.start(directory, 2, "main", "far", "quiet");
    client = agents.client(0);
    other = agents.client(1);
  }

  @AfterAll
  static void stop() {
    if (agents != null) {
      agents.close();
    }
  }

  @AfterEach
  void nobodyWaits() {
    FaultPoints.observe(null);
  }

  /** 12.11: it was refused with 404, and committed all the same. */
  @Test
  void uploadThatIsBegunRightBeforeTheRemovalIsAnswered() {
    String disk = agents.disk("quiet", SIZE);
    AtPlace removal =
        new AtPlace(
            "call.committed",
            () -> other.removeImage("quiet", disk, RemoveImageOptions.DEFAULT, null));
    FaultPoints.observe(removal);
    UploadInfo begun = client.beginUpload("quiet", disk, BeginUploadRequest.RAW, "begin-and-remove");
    assertThat(removal.done()).isTrue();
    assertThat(begun.size()).isEqualTo(SIZE);
    assertThat(client.cancelRequest("quiet", "begin-and-remove").id()).isEqualTo(begun.uploadId());
    refused(
        ErrorCode.OPEN_NOT_FOUND, () -> put(client, disk, begun.uploadId(), 0, MIB),
        begun.uploadId());
  }

  /** 12.12: the first agent answered from memory, with less than callers had been told. */
  @Test
  void agentKnowsThatAnotherOneHasGoneOnWithAnUpload() throws Exception {
    String disk = agents.disk("quiet", SIZE);
    String upload = client.beginUpload("quiet", disk, BeginUploadRequest.RAW, null).uploadId();
    List<String> before = agents.volumes("quiet", "");
    put(client, disk, upload, 0, MIB);
    String file =
        agents.volumes("quiet", "").stream()
            .filter(name -> !before.contains(name))
            .findAny()
            .orElseThrow();
    anotherGoesOn(file, 3 * MIB);

    assertThat(client.getUpload("quiet", disk, upload).offset()).isEqualTo(3 * MIB);
    refused(
        ErrorCode.RANGE_NOT_SATISFIABLE,
        () -> client.finishUpload("quiet", disk, upload, new FinishUploadRequest(null), null),
        "3145728");
    anotherGoesOn(file, 3 * MIB + 512);
    assertThat(put(client, disk, upload, 3 * MIB + 512, SIZE).offset()).isEqualTo(SIZE);
    assertThat(
            client
                .finishUpload("quiet", disk, upload, new FinishUploadRequest(null), null)
                .finished())
        .isTrue();
  }

  /** As an agent that is gone by now: it has made more of the upload durable. */
  private static void anotherGoesOn(String file, long offset) throws Exception {
    Map<String, String> parameters = Map.of("path", agents.repository("quiet").toString());
    try (RepositoryStorage storage =
        RepositoryFormats.find("localfs-1.0").connect(parameters, false, "gone@gone")) {
      FixStore store = new FixStore(storage);
      String fix = "optimize-" + file.substring(0, file.indexOf('.'));
      long epoch = Objects.requireNonNull(store.newestClaim(fix)).epoch() + 1;
      Worker gone = new Worker("gone", "gone");
      assertThat(store.claim(fix, epoch, gone, Instant.now())).isPresent();
      Checkpoint known = Objects.requireNonNull(store.newestCheckpoint(fix));
      store.save(
          fix,
          known
              .takenOver(gone, epoch, Objects.requireNonNull(known.file()), Instant.now())
              .at(offset, offset, Instant.now()));
    }
  }

  /** 12.14: all but one were refused with IMAGE_BROKEN, in 11 rounds of 12. */
  @Test
  void snapshotsAndCopiesOfOneDiskAtOnceAllSucceed() throws Exception {
    String disk = agents.disk("main", SIZE);
    for (int round = 0; round < 6; round++) {
      List<String> made =
          atOnce(
              List.of(
                  () -> AgentsUnderTest.snapshot(client, "main", disk),
                  () -> AgentsUnderTest.snapshot(other, "main", disk),
                  () -> AgentsUnderTest.snapshot(client, "main", disk),
                  () -> AgentsUnderTest.copy(client, "far", disk, null),
                  () -> AgentsUnderTest.copy(other, "main", disk, null)));
      assertThat(made).doesNotHaveDuplicates().hasSize(5);
      client.removeImage("far", made.get(3), RemoveImageOptions.DEFAULT, null);
      client.removeImage("main", made.get(4), RemoveImageOptions.DEFAULT, null);
    }
  }

  private static <T> List<T> atOnce(List<Callable<T>> calls) throws Exception {
    CyclicBarrier together = new CyclicBarrier(calls.size());
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<T>> answers = new ArrayList<>();
      for (Callable<T> call : calls) {
        answers.add(
            threads.submit(() -> {
              together.await();
              return call.call();
            }));
      }
      List<T> all = new ArrayList<>();
      for (Future<T> answer : answers) {
        all.add(answer.get());
      }
      return all;
    }
  }

  private static UploadInfo put(
      StorageClient to, String disk, String upload, int from, int end) {
    var range = new UploadRange(from, end - from, SIZE, false, null);
    return to.uploadImage(
        "quiet", disk, upload, range, new ByteArrayInputStream(new byte[end - from]));
  }

  private static void refused(
      ErrorCode code, org.assertj.core.api.ThrowableAssert.ThrowingCallable call, String... words) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            StorageException.class,
            refusal -> {
              assertThat(refusal.code()).isEqualTo(code);
              assertThat(refusal.getMessage() + refusal.remedy()).contains(words);
            });
  }
}
