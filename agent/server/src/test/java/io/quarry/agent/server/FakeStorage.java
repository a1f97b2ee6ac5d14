package io.quarry.agent.server;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quarry.common.api.BeginUploadRequest;
import io.quarry.common.api.ByteRange;
import io.quarry.common.api.CheckOptions;
import io.quarry.common.api.CheckReport;
import io.quarry.common.api.CloseOpensRequest;
import io.quarry.common.api.ClosedOpens;
import io.quarry.common.api.Committed;
import io.quarry.common.api.ConnectRequest;
import io.quarry.common.api.CopyImageRequest;
import io.quarry.common.api.CreateSnapshotRequest;
import io.quarry.common.api.CreateVirtualDiskRequest;
import io.quarry.common.api.CreatedImage;
import io.quarry.common.api.DownloadRequest;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.EventStream;
import io.quarry.common.api.ExtentQuery;
import io.quarry.common.api.FinishUploadRequest;
import io.quarry.common.api.Fix;
import io.quarry.common.api.FixInfo;
import io.quarry.common.api.FixPage;
import io.quarry.common.api.FixQuery;
import io.quarry.common.api.FixQueued;
import io.quarry.common.api.FixRequest;
import io.quarry.common.api.HostInfo;
import io.quarry.common.api.HostPage;
import io.quarry.common.api.ImageData;
import io.quarry.common.api.ImageExplanation;
import io.quarry.common.api.ImageExplanation.ExplainedFix;
import io.quarry.common.api.ImageExplanation.Need;
import io.quarry.common.api.ImageExplanation.Obstacle;
import io.quarry.common.api.ImageExtents;
import io.quarry.common.api.ImageExtents.DataExtent;
import io.quarry.common.api.ImageInfo;
import io.quarry.common.api.ImagePage;
import io.quarry.common.api.ImageQuery;
import io.quarry.common.api.ImageStatus;
import io.quarry.common.api.Json;
import io.quarry.common.api.OpenInfo;
import io.quarry.common.api.OpenPage;
import io.quarry.common.api.OpenQuery;
import io.quarry.common.api.OpenRequest;
import io.quarry.common.api.OpenedImage;
import io.quarry.common.api.PageQuery;
import io.quarry.common.api.Problem;
import io.quarry.common.api.RemoveImageOptions;
import io.quarry.common.api.RepositoryInfo;
import io.quarry.common.api.RequestOutcome;
import io.quarry.common.api.Sha256;
import io.quarry.common.api.StatusQuery;
import io.quarry.common.api.StorageApi;
import io.quarry.common.api.StorageException;
import io.quarry.common.api.TaskInfo;
import io.quarry.common.api.TaskPage;
import io.quarry.common.api.UploadInfo;
import io.quarry.common.api.UploadRange;
import io.quarry.common.model.FixType;
import io.quarry.common.model.ImageKind;
import io.quarry.common.model.ImageState;
import io.quarry.common.model.Progress;
import io.quarry.common.model.VolumeFormat;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A storage in memory whose images are ready at once. Two agents of one cluster share one storage:
 * a request id has one effect, whichever agent takes the call.
 */
final class FakeStorage implements StorageApi {
  static final String ETAG = "\"an-etag\"";

  /** Ranges of at most so many bytes have a digest. */
  private static final int SHORT = 8 << 20;

  static final OpenInfo OPEN =
      new OpenInfo(
          "o1",
          "i1",
          OpenInfo.Use.UPLOAD,
          OpenInfo.State.IDLE,
          "host-1",
          "upload",
          false,
          Instant.EPOCH,
          "6a1f8c52-1d8e-4c55-9b7e-3f0c2d9a4e71",
          new OpenInfo.Upload(
              Instant.EPOCH, Duration.ofHours(24), Instant.EPOCH.plus(Duration.ofHours(24))));

  static final Instant TIME = Instant.parse("2026-01-01T12:00:00Z");

  private static final Progress PROGRESS =
      new Progress("host-1", "2/4", "copy", 31, 5L << 30, 16L << 30, null, TIME);

  private final Map<String, ConnectRequest> repositories = new TreeMap<>();
  private final Map<String, ImageInfo> images = new TreeMap<>();
  private final Map<String, Object> answers = new ConcurrentHashMap<>();
  private long commit;

  /** A test's action before a verb; it may throw. */
  private volatile Consumer<String> before = verb -> {};

  private final AtomicInteger streamsClosed = new AtomicInteger();
  private final ByteArrayOutputStream uploaded = new ByteArrayOutputStream();
  private volatile long throttle;

  /** The number of commits that watchers get. */
  final AtomicLong events = new AtomicLong();

  private volatile @Nullable StatusQuery lastStatusQuery;
  private volatile long lastAtLeast;
  private volatile @Nullable ImageQuery lastImageQuery;
  private volatile @Nullable Object lastRequest;
  private volatile @Nullable ConnectRequest created;

  void before(Consumer<String> action) {
    before = action;
  }

  long throttle() {
    return throttle;
  }

  @Nullable StatusQuery lastStatusQuery() {
    return lastStatusQuery;
  }

  long lastAtLeast() {
    return lastAtLeast;
  }

  @Nullable ImageQuery lastImageQuery() {
    return lastImageQuery;
  }

  @Nullable Object lastRequest() {
    return lastRequest;
  }

  synchronized int images() {
    return images.size();
  }

  private <T> T once(@Nullable String requestId, Class<T> type, Function<Long, T> effect) {
    synchronized (this) {
      if (requestId == null) {
        return effect.apply(++commit);
      }
      Object known = answers.get(requestId);
      if (known == null) {
        known = effect.apply(++commit);
        answers.put(requestId, known);
      }
      return type.cast(known);
    }
  }

  private synchronized ConnectRequest repository(String repoId) {
    ConnectRequest repository = repositories.get(repoId);
    if (repository == null) {
      throw new StorageException(
          ErrorCode.REPOSITORY_NOT_CONNECTED,
          "No repository " + repoId + " is connected here.",
          repoId,
          "Connect it here or ask an agent that has it connected.");
    }
    return repository;
  }

  private synchronized ImageInfo image(String imageId) {
    ImageInfo image = images.get(imageId);
    if (image == null) {
      throw new StorageException(
          ErrorCode.IMAGE_NOT_FOUND, "No image " + imageId + ".", imageId, "List the images.");
    }
    return image;
  }

  private CreatedImage add(
      @Nullable String requestId, String prefix, ImageKind kind, long size, ObjectNode userData) {
    return once(
        requestId,
        CreatedImage.class,
        number -> {
          String id = "%s-%06d".formatted(prefix, number);
          images.put(
              id,
              new ImageInfo(
                  id,
                  kind,
                  true,
                  ImageState.OPTIMIZED,
                  null,
                  size,
                  -1,
                  -1,
                  VolumeFormat.QCOW2,
                  null,
                  List.of(),
                  userData,
                  TIME,
                  null,
                  List.of(new ImageInfo.Open("open-" + number, "host-1", "vm-1", true, TIME)),
                  number));
          return new CreatedImage(id, number);
        });
  }

  @Override
  public RepositoryInfo connectStorageRepository(ConnectRequest request) {
    before.accept("connectStorageRepository");
    synchronized (this) {
      repositories.put(request.repoId(), request);
      return info(request);
    }
  }

  @Override
  public RepositoryInfo createStorageRepository(ConnectRequest request) {
    created = request;
    return connectStorageRepository(request);
  }

  @Nullable ConnectRequest created() {
    return created;
  }

  private RepositoryInfo info(ConnectRequest request) {
    return new RepositoryInfo(
        request.repoId(),
        request.repoFormat(),
        request.connectionParameters(),
        1L << 40,
        1L << 39,
        -1,
        64L << 40,
        "readOnly",
        "thisHost",
        null,
        Map.of("optimized", images.size(), "hidden", 0),
        0,
        "ok",
        null,
        commit,
        "persistent",
        List.of("callDigests"),
        List.of());
  }

  @Override
  public void disconnectStorageRepository(String repoId) {
    before.accept("disconnectStorageRepository");
    repository(repoId);
    synchronized (this) {
      repositories.remove(repoId);
    }
  }

  @Override
  public Committed upgradeStorageRepository(String repoId, @Nullable String requestId) {
    before.accept("upgradeStorageRepository " + requestId);
    repository(repoId);
    return once(requestId, Committed.class, Committed::new);
  }

  @Override
  public synchronized List<RepositoryInfo> listStorageRepositories() {
    before.accept("listStorageRepositories");
    return repositories.values().stream().map(this::info).toList();
  }

  @Override
  public RepositoryInfo getStorageRepository(String repoId) {
    before.accept("getStorageRepository");
    return info(repository(repoId));
  }

  @Override
  public CreatedImage createVirtualDisk(
      String repoId, CreateVirtualDiskRequest request, @Nullable String requestId) {
    before.accept("createVirtualDisk " + requestId);
    repository(repoId);
    lastRequest = request;
    return add(requestId, "disk", ImageKind.VIRTUAL_DISK, request.size(), request.userData());
  }

  @Override
  public CreatedImage createSnapshot(
      String repoId, CreateSnapshotRequest request, @Nullable String requestId) {
    before.accept("createSnapshot " + requestId);
    repository(repoId);
    lastRequest = request;
    ImageInfo disk = image(request.baseVirtualDiskId());
    return add(requestId, "snapshot", ImageKind.SNAPSHOT, disk.size(), request.userData());
  }

  @Override
  public CreatedImage copyImage(
      String repoId, CopyImageRequest request, @Nullable String requestId) {
    before.accept("copyImage " + requestId);
    repository(repoId);
    lastRequest = request;
    ImageInfo image = image(request.imageId());
    return add(requestId, "copy", image.kind(), image.size(), request.userData());
  }

  @Override
  public Committed removeImage(
      String repoId, String imageId, RemoveImageOptions options, @Nullable String requestId) {
    before.accept("removeImage " + requestId);
    repository(repoId);
    lastRequest = options;
    return once(
        requestId,
        Committed.class,
        number -> {
          image(imageId);
          images.remove(imageId);
          return new Committed(number);
        });
  }

  @Override
  public Committed restoreImage(String repoId, String imageId, @Nullable String requestId) {
    before.accept("restoreImage " + requestId);
    repository(repoId);
    image(imageId);
    return once(requestId, Committed.class, Committed::new);
  }

  @Override
  public ImagePage listImages(String repoId, ImageQuery query) {
    before.accept("listImages");
    repository(repoId);
    lastImageQuery = query;
    synchronized (this) {
      List<ImageInfo> found = new ArrayList<>();
      for (ImageInfo image : images.values()) {
        if (query.after() == null || image.imageId().compareTo(query.after()) > 0) {
          found.add(image);
        }
      }
      boolean more = found.size() > query.limit();
      List<ImageInfo> page = more ? found.subList(0, query.limit()) : found;
      return new ImagePage(page, more ? page.getLast().imageId() : null, commit);
    }
  }

  @Override
  public ImageInfo getImage(String repoId, String imageId, long atLeast) {
    before.accept("getImage");
    repository(repoId);
    return image(imageId);
  }

  @Override
  public ImageStatus getImageStatus(String repoId, String imageId, StatusQuery query) {
    before.accept("getImageStatus");
    repository(repoId);
    lastStatusQuery = query;
    return new ImageStatus(image(imageId).state(), null, commit, PROGRESS);
  }

  @Override
  public ImageExplanation explainImage(String repoId, String imageId, long atLeast) {
    before.accept("explainImage");
    repository(repoId);
    ImageInfo image = image(imageId);
    return new ImageExplanation(
        imageId,
        image.kind(),
        true,
        image.state(),
        List.of("It is broken.", "No host works on it."),
        "its data",
        TIME,
        new ExplainedFix(
            "fix-1", FixType.MEND, "parked", null, Obstacle.PARKED, TIME, "boom", PROGRESS),
        List.of(
            new Need("overlay", "disk-2", null, null, null, null),
            new Need("pin", "pin-1", "copy-1", null, null, "backup"),
            new Need("open", "open-1", null, "host-1", "web", null)),
        3,
        commit);
  }

  @Override
  public Committed setUserData(
      String repoId, String imageId, ObjectNode userData, @Nullable String requestId) {
    before.accept("setUserData " + requestId);
    repository(repoId);
    image(imageId);
    lastRequest = userData;
    return once(requestId, Committed.class, Committed::new);
  }

  @Override
  public Committed resizeImage(
      String repoId, String imageId, long size, @Nullable String requestId) {
    before.accept("resizeImage " + requestId);
    repository(repoId);
    image(imageId);
    lastRequest = size;
    return once(requestId, Committed.class, Committed::new);
  }

  @Override
  public OpenedImage openImage(
      String repoId, String imageId, OpenRequest request, @Nullable String requestId) {
    before.accept("openImage " + requestId);
    repository(repoId);
    lastRequest = request;
    ImageInfo image = image(imageId);
    return once(
        requestId,
        OpenedImage.class,
        number ->
            new OpenedImage(
                "open-" + number,
                imageId,
                "host-1",
                request.readOnly(),
                "/srv/quarry/volumes/" + imageId,
                VolumeFormat.QCOW2,
                image.size(),
                List.of(new OpenedImage.ChainLink("base", "/srv/quarry/v", VolumeFormat.RAW)),
                Json.MAPPER.createObjectNode().put("driver", "qcow2"),
                "<disk/>",
                number));
  }

  @Override
  public Committed closeImage(
      String repoId, String imageId, String openId, @Nullable String requestId) {
    before.accept("closeImage " + requestId);
    repository(repoId);
    return once(requestId, Committed.class, Committed::new);
  }

  @Override
  public OpenPage listOpens(String repoId, OpenQuery query) {
    repository(repoId);
    return new OpenPage(List.of(OPEN), null, 1);
  }

  @Override
  public OpenInfo getOpen(String repoId, String openId, long atLeast) {
    repository(repoId);
    return OPEN;
  }

  @Override
  public Committed closeOpen(
      String repoId, String openId, boolean force, @Nullable String requestId) {
    before.accept("closeOpen " + requestId);
    repository(repoId);
    lastRequest = force;
    return once(requestId, Committed.class, Committed::new);
  }

  @Override
  public ClosedOpens closeOpens(
      String repoId, CloseOpensRequest request, @Nullable String requestId) {
    before.accept("closeOpens " + requestId);
    repository(repoId);
    lastRequest = request;
    return once(
        requestId, ClosedOpens.class, commit -> new ClosedOpens(List.of("o1"), false, 0, commit));
  }

  /** Byte n of an image; two neighbouring network pages always differ. */
  static byte content(long n) {
    return (byte) (n * 31 + (n >> 8) * 17 + (n >> 16));
  }

  @Override
  public ImageData downloadImage(String repoId, String imageId, DownloadRequest request) {
    before.accept("downloadImage");
    repository(repoId);
    lastRequest = request;
    long size = image(imageId).size();
    ByteRange range = request.range() == null ? ByteRange.from(0) : request.range();
    if (range.lengthIn(size) <= 0) {
      throw new StorageException(
          ErrorCode.RANGE_NOT_SATISFIABLE, range + " is outside", imageId, "ask for less");
    }
    byte[] bytes = new byte[(int) range.lengthIn(size)];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = content(range.offsetIn(size) + i);
    }
    return new ImageData(
        ETAG,
        size,
        range.offsetIn(size),
        bytes.length,
        request.range() != null,
        bytes.length > SHORT ? null : Sha256.base64(bytes),
        stream(bytes));
  }

  /** A stream that fails half-way if the test wants that. */
  private InputStream stream(byte[] bytes) {
    return new ByteArrayInputStream(bytes) {
      @Override
      public synchronized int read(byte[] into, int offset, int length) {
        before.accept("read " + pos);
        return super.read(into, offset, length);
      }

      @Override
      public void close() {
        streamsClosed.incrementAndGet();
      }
    };
  }

  int streamsClosed() {
    return streamsClosed.get();
  }

  @Override
  public UploadInfo beginUpload(
      String repoId, String imageId, BeginUploadRequest request, @Nullable String requestId) {
    before.accept("beginUpload " + requestId);
    repository(repoId);
    long size = image(imageId).size();
    return once(
        requestId,
        UploadInfo.class,
        number -> new UploadInfo("upload-" + number, size, 0, 0, false, null, number));
  }

  @Override
  public UploadInfo getUpload(String repoId, String imageId, String uploadId) {
    before.accept("getUpload");
    repository(repoId);
    long size = image(imageId).size();
    return new UploadInfo(uploadId, size, uploaded.size(), 0, false, null, commit);
  }

  /** Reads slowly if the test wants that. */
  @Override
  public UploadInfo uploadImage(
      String repoId, String imageId, String uploadId, UploadRange range, InputStream content) {
    before.accept("uploadImage");
    repository(repoId);
    lastRequest = range;
    byte[] piece = new byte[64 << 10];
    try {
      for (int count = content.read(piece); count >= 0; count = content.read(piece)) {
        before.accept("received " + uploaded.size());
        uploaded.write(piece, 0, count);
      }
    } catch (IOException e) {
      throw StorageException.invalid("body", "It broke off.", "Send it again.");
    }
    return new UploadInfo(uploadId, range.size(), range.end(), 0, false, null, commit);
  }

  byte[] uploaded() {
    return uploaded.toByteArray();
  }

  @Override
  public UploadInfo finishUpload(
      String repoId,
      String imageId,
      String uploadId,
      FinishUploadRequest request,
      @Nullable String requestId) {
    before.accept("finishUpload " + requestId);
    repository(repoId);
    lastRequest = request;
    long size = image(imageId).size();
    return once(
        requestId,
        UploadInfo.class,
        number -> new UploadInfo(uploadId, size, size, size, true, null, number));
  }

  @Override
  public ImageExtents listImageExtents(String repoId, String imageId, ExtentQuery query) {
    before.accept("listImageExtents");
    repository(repoId);
    lastRequest = query;
    long size = image(imageId).size();
    return new ImageExtents(
        ETAG, size, query.offset(), size, List.of(new DataExtent(query.offset(), 512)));
  }

  @Override
  public CheckReport checkStorageRepository(String repoId, CheckOptions options) {
    before.accept("checkStorageRepository");
    repository(repoId);
    lastRequest = options;
    Fix orphan =
        new Fix(FixType.CLEAN, null, "orphaned file", 0, 4096, 20, "waiting", null, "eA==");
    Fix mend = new Fix(FixType.MEND, "disk-1", "half", 9, 0, 10, "parked", "stopped", "eQ==");
    return CheckReport.of(
        List.of(mend, orphan),
        List.of(
            new Problem(Problem.Kind.MISSING_VOLUME, "disk-1", "v.1.raw", "is gone", "restore it")),
        options.deep() ? new CheckReport.Reading(1, 2, "v-1:512") : null,
        commit);
  }

  @Override
  public FixQueued fixStorageRepository(
      String repoId, FixRequest request, @Nullable String requestId) {
    before.accept("fixStorageRepository " + requestId);
    repository(repoId);
    lastRequest = request;
    return once(requestId, FixQueued.class, number -> new FixQueued("fix-" + number, number));
  }

  @Override
  public FixPage listFixes(String repoId, FixQuery query) {
    before.accept("listFixes");
    lastAtLeast = query.atLeast();
    repository(repoId);
    return new FixPage(
        List.of(
            new FixInfo(
                "fix-1",
                FixType.MEND,
                "disk-1",
                "running",
                10,
                1,
                "host-1",
                TIME,
                "stopped",
                null,
                PROGRESS),
            new FixInfo(
                "fix-2",
                FixType.MERGE,
                null,
                "noSpace",
                20,
                0,
                null,
                null,
                null,
                "needs 2 MiB",
                null)),
        null);
  }

  @Override
  public Committed pauseFix(String repoId, String fixId, @Nullable String requestId) {
    before.accept("pauseFix " + requestId);
    repository(repoId);
    return once(requestId, Committed.class, Committed::new);
  }

  @Override
  public Committed resumeFix(String repoId, String fixId, @Nullable String requestId) {
    before.accept("resumeFix " + requestId);
    repository(repoId);
    return once(requestId, Committed.class, Committed::new);
  }

  @Override
  public RequestOutcome cancelRequest(String repoId, String requestId) {
    before.accept("cancelRequest " + requestId);
    repository(repoId);
    synchronized (this) {
      Object known = answers.get(requestId);
      return known == null || known instanceof RequestOutcome
          ? once(
              requestId,
              RequestOutcome.class,
              number -> new RequestOutcome(false, null, null, number))
          : new RequestOutcome(true, "createVirtualDisk", "disk", commit);
    }
  }

  @Override
  public HostPage listHosts(PageQuery query) {
    before.accept("listHosts");
    var repository = new HostInfo.HostRepository("fast", "localfs-1.0", true, true);
    return query.of(
        List.of(
            new HostInfo(
                "host-1", "i1", "http://h:1", TIME, "0.1.0", List.of(repository), 1, 2, TIME, 2.5)),
        HostInfo::hostId,
        HostPage::new);
  }

  @Override
  public void drainHost(String hostId, boolean drained) {
    before.accept("drainHost " + drained);
    if (!hostId.equals("host-1")) {
      throw new StorageException(
          ErrorCode.HOST_NOT_FOUND, "No host " + hostId + ".", hostId, "List the hosts.");
    }
  }

  @Override
  public void fenceHost(String hostId) {
    before.accept("fenceHost");
    if (!hostId.equals("host-1")) {
      throw new StorageException(
          ErrorCode.HOST_NOT_FOUND, "No host " + hostId + ".", hostId, "List the hosts.");
    }
  }

  @Override
  public TaskPage listTasks(@Nullable String hostId, PageQuery query) {
    before.accept("listTasks");
    return query.of(
        List.of(
            new TaskInfo(
                "host-1:fix-1:3",
                "host-1",
                "fast",
                "fix-1",
                FixType.MEND,
                "disk-1",
                3,
                TIME,
                -1,
                PROGRESS)),
        TaskInfo::taskId,
        TaskPage::new);
  }

  @Override
  public void stopTask(String taskId) {
    before.accept("stopTask");
    known(taskId);
  }

  @Override
  public void releaseTask(String taskId) {
    before.accept("releaseTask");
    known(taskId);
  }

  private static void known(String taskId) {
    if (!taskId.equals("host-1:fix-1:3")) {
      throw new StorageException(
          ErrorCode.TASK_NOT_FOUND, "No task " + taskId + ".", taskId, "List the tasks.");
    }
  }

  @Override
  public EventStream watchEvents(@Nullable String since) {
    before.accept("watchEvents " + since);
    return new FakeEvents(since, events);
  }

  @Override
  public void setThrottle(long bytesPerSecond) {
    before.accept("setThrottle");
    throttle = bytesPerSecond;
  }
}
