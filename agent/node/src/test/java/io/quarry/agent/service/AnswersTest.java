package io.quarry.agent.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quarry.agent.AgentsUnderTest;
import io.quarry.agent.AtPlace;
import io.quarry.agent.data.Tools;
import io.quarry.agent.data.process.Children;
import io.quarry.agent.data.process.Spawner;
import io.quarry.agent.storage.Checkpoint;
import io.quarry.agent.storage.RepositoryStorage;
import io.quarry.agent.storage.WorkStore;
import io.quarry.agent.storage.directory.LocalfsFormat;
import io.quarry.common.api.BeginUploadRequest;
import io.quarry.common.api.CheckOptions;
import io.quarry.common.api.CheckReport;
import io.quarry.common.api.CopyImageRequest;
import io.quarry.common.api.CreateVirtualDiskRequest;
import io.quarry.common.api.DownloadRequest;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.FinishUploadRequest;
import io.quarry.common.api.ImageData;
import io.quarry.common.api.ImageOptions;
import io.quarry.common.api.OpenRequest;
import io.quarry.common.api.OpenedImage;
import io.quarry.common.api.Problem;
import io.quarry.common.api.RemoveImageOptions;
import io.quarry.common.api.StatusQuery;
import io.quarry.common.api.StorageException;
import io.quarry.common.api.UploadInfo;
import io.quarry.common.api.UploadRange;
import io.quarry.common.client.StorageClient;
import io.quarry.common.model.ImageState;
import io.quarry.common.model.Strategy;
import io.quarry.common.model.VolumeFormat;
import io.quarry.coordinator.fault.FaultPoints;
import io.quarry.coordinator.plan.FixState.Worker;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
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

/** Answers are true, whatever other calls and other agents do at the same time. */
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
  void removeFaultPoints() {
    FaultPoints.observe(null);
  }

  /** 12.11: the upload was refused with 404, but was committed. */
  @Test
  void uploadThatIsBegunRightBeforeTheRemovalIsAnswered() {
    String disk = agents.disk("quiet", SIZE);
    AtPlace removal =
        new AtPlace(
            "call.committed",
            () -> other.removeImage("quiet", disk, RemoveImageOptions.DEFAULT, null));
    FaultPoints.observe(removal);
    UploadInfo begun =
        client.beginUpload("quiet", disk, BeginUploadRequest.RAW, "begin-and-remove");
    assertThat(removal.done()).isTrue();
    assertThat(begun.size()).isEqualTo(SIZE);
    assertThat(client.cancelRequest("quiet", "begin-and-remove").id()).isEqualTo(begun.uploadId());
    refused(
        ErrorCode.OPEN_NOT_FOUND,
        () -> put(client, disk, begun.uploadId(), 0, MIB),
        begun.uploadId());
  }

  /** 12.12: the first agent answered from memory, with fewer bytes than callers had been told. */
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

  /** A device of any size may consist largely of zeros. */
  @Test
  void spaceIsAskedForOnlyWhenTheDataIsKnown() {
    long size = 4L << 40;
    String disk = agents.disk("quiet", size);
    refused(
        ErrorCode.NO_SPACE,
        () ->
            client.beginUpload(
                "quiet", disk, new BeginUploadRequest(VolumeFormat.RAW, size, size), null),
        "are free");
    var unknown = new BeginUploadRequest(VolumeFormat.RAW, size, null);
    String upload = client.beginUpload("quiet", disk, unknown, null).uploadId();
    client.closeImage("quiet", disk, upload, null);
  }

  /** An agent that took an upload which had just been finished removed the disk's new file. */
  @Test
  void agentThatComesLateLeavesTheDiskItsContent() throws Exception {
    String disk = agents.disk("quiet", SIZE);
    String upload = client.beginUpload("quiet", disk, BeginUploadRequest.RAW, null).uploadId();
    List<String> before = agents.volumes("quiet", "");
    var finish =
        new AtPlace(
            "upload.taking",
            () -> {
              put(client, disk, upload, 0, SIZE);
              var all = new FinishUploadRequest(null);
              assertThat(client.finishUpload("quiet", disk, upload, all, "f-1").finished())
                  .isTrue();
            });
    FaultPoints.observe(finish);
    refused(ErrorCode.OPEN_NOT_FOUND, () -> put(other, disk, upload, 0, MIB), upload);
    assertThat(finish.done()).isTrue();
    assertThat(agents.volumes("quiet", "")).anyMatch(name -> !before.contains(name));
    try (ImageData content =
        other.downloadImage("quiet", disk, new DownloadRequest(null, null, null, false))) {
      assertThat(content.content().readAllBytes()).hasSize(SIZE);
    }

    // Another upload under the key of this one's end.
    String second = agents.disk("quiet", SIZE);
    String next = client.beginUpload("quiet", second, BeginUploadRequest.RAW, null).uploadId();
    refused(
        ErrorCode.REQUEST_ID_REUSED,
        () -> client.finishUpload("quiet", second, next, new FinishUploadRequest(null), "f-1"),
        "f-1");
  }

  /** Acts as an agent that has died since: it has made more of the upload durable. */
  private static void anotherGoesOn(String file, long offset) throws Exception {
    Map<String, String> parameters = Map.of("path", agents.repository("quiet").toString());
    try (RepositoryStorage storage = new LocalfsFormat().connect(parameters, false, "gone@gone")) {
      WorkStore store = storage.work();
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

  /** 12.14: all calls but one were refused with IMAGE_BROKEN, in 11 rounds of 12. */
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

  /** 12.17: another agent reported the image broken, a second after a caller had opened it here. */
  @Test
  void imageIsNowhereBrokenOnceItIsWholeSomewhere() {
    for (int round = 0; round < 20; round++) {
      String disk = agents.disk("quiet", SIZE);
      StatusQuery now = new StatusQuery(Duration.ZERO, null, 0);
      assertThat(other.getImageStatus("quiet", disk, now).state()).isEqualTo(ImageState.OPTIMIZED);
      assertThat(other.getImage("quiet", disk, 0).state()).isEqualTo(ImageState.OPTIMIZED);
      assertThat(other.explainImage("quiet", disk, 0).state()).isEqualTo(ImageState.OPTIMIZED);
    }
  }

  /**
   * 12.17: the copy kept the old user data, or failed on a host that did not know of the removal.
   */
  @Test
  void snapshotThatIsCopiedInAgainHasTheUserDataOfTheCall() {
    String disk = agents.disk("main", SIZE);
    String snapshot = AgentsUnderTest.snapshot(client, "main", disk);
    AgentsUnderTest.copy(client, "far", snapshot, null);
    agents.awaitOptimized("far", snapshot);
    ObjectNode userData = JsonNodeFactory.instance.objectNode().put("label", "again");
    var request = new CopyImageRequest(snapshot, null, userData, ImageOptions.DEFAULT);
    AtPlace removal =
        new AtPlace(
            "copy.found",
            () ->
                other.removeImage(
                    "far", snapshot, new RemoveImageOptions(false, Duration.ZERO), null));
    FaultPoints.observe(removal);
    long commit = client.copyImage("far", request, null).commit();
    assertThat(removal.done()).isTrue();
    assertThat(other.getImage("far", snapshot, commit).userData()).isEqualTo(userData);
  }

  /**
   * 12.17: a guest wrote during a deep check, and the check reported a healthy overlay as damaged.
   */
  @Test
  void deepCheckBlamesNothingThatWasWrittenMeanwhile() throws Exception {
    String disk = agents.disk("far", SIZE);
    AgentsUnderTest.snapshot(client, "far", disk);
    agents.awaitOptimized("far", disk);
    OpenedImage opened = client.openImage("far", disk, new OpenRequest(true, "reader"), null);
    client.closeImage("far", disk, opened.openId(), null);
    Path overlay = Path.of(opened.path());
    byte[] whole = Files.readAllBytes(overlay);
    // A guest's unfinished write: the table of reference counts is not where the header says.
    byte[] half = whole.clone();
    Arrays.fill(half, 1 << 16, (1 << 16) + 8, (byte) 0);
    AtPlace begins = new AtPlace("check.looking", () -> write(overlay, half, disk));
    AtPlace ends = new AtPlace("check.looked", () -> write(overlay, whole, disk));
    FaultPoints.observe(begins.andThen(ends));
    CheckReport report = client.checkStorageRepository("far", new CheckOptions(true, null, 0));
    assertThat(begins.done()).isTrue();
    assertThat(report.problems())
        .extracting(Problem::kind)
        .doesNotContain(Problem.Kind.DAMAGED_VOLUME)
        .contains(Problem.Kind.NOT_READ);
  }

  private static void write(Path file, byte[] content, String disk) {
    OpenedImage opened = other.openImage("far", disk, new OpenRequest(false, "vm"), null);
    try {
      Files.write(file, content);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } finally {
      other.closeImage("far", disk, opened.openId(), null);
    }
  }

  /** 12.15: the disk no longer consists of the snapshot, and their difference stays the same. */
  @Test
  void differenceIsByContentWhateverTheLayout() throws Exception {
    String first = agents.disk("main", SIZE);
    use("main", first, "write -P 1 0 2M");
    String base = AgentsUnderTest.snapshot(client, "main", first);
    var independent =
        new CreateVirtualDiskRequest(
            SIZE + MIB,
            base,
            JsonNodeFactory.instance.objectNode(),
            new ImageOptions(true, Strategy.PERFORMANCE, null, Map.of()));
    String disk = client.createVirtualDisk("main", independent, null).imageId();
    agents.awaitOptimized("main", disk);
    assertThat(client.getImage("main", disk, 0).parentImageId()).isNull();
    use("main", disk, "write -P 2 1M 64k", "write -z 512k 64k", "write -P 3 4M 64k");

    AgentsUnderTest.copy(client, "quiet", base, null);
    String copy = AgentsUnderTest.copy(client, "quiet", disk, base);
    agents.awaitOptimized("quiet", copy);
    assertThat(client.getImage("quiet", copy, 0).parentImageId()).isEqualTo(base);
    assertThat(content("quiet", copy)).isEqualTo(content("main", disk));
    assertThat(client.getImage("quiet", copy, 0).actualBytes())
        .as("the difference alone")
        .isLessThan(MIB);
  }

  /** 12.15: the copy was answered with 201, and stayed broken for ever. */
  @Test
  void wholeCopyTakesThePlaceOfDifferenceWithoutItsBase() throws Exception {
    String disk = agents.disk("main", SIZE);
    use("main", disk, "write -P 4 0 1M");
    String base = AgentsUnderTest.snapshot(client, "main", disk);
    use("main", disk, "write -P 5 2M 1M");
    String snapshot = AgentsUnderTest.snapshot(client, "main", disk);
    AgentsUnderTest.copy(client, "quiet", snapshot, base);
    await()
        .atMost(AgentsUnderTest.PATIENCE)
        .until(
            () -> client.getImage("quiet", snapshot, 0).reason(),
            reason -> reason != null && reason.endsWith("is missing"));
    AgentsUnderTest.copy(other, "quiet", snapshot, null);
    agents.awaitOptimized("quiet", snapshot);
    assertThat(content("quiet", snapshot)).isEqualTo(content("main", snapshot));
  }

  private static byte[] content(String repoId, String image) throws Exception {
    try (ImageData data = client.downloadImage(repoId, image, DownloadRequest.WHOLE)) {
      return data.content().readAllBytes();
    }
  }

  private static void use(String repoId, String disk, String... commands) throws Exception {
    OpenedImage opened = client.openImage(repoId, disk, new OpenRequest(false, "vm"), null);
    new Tools(new Children(new Spawner(), "test"))
        .io(Path.of(opened.path()), opened.format().label(), commands);
    client.closeImage(repoId, disk, opened.openId(), null);
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

  private static UploadInfo put(StorageClient to, String disk, String upload, int from, int end) {
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
