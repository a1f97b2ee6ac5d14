package io.quarry.agent.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
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
import io.quarry.common.api.Event;
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
import io.quarry.common.api.HostInfo.HostRepository;
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
import io.quarry.common.model.Visibility;
import io.quarry.common.model.VolumeFormat;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Queue;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A small storage in memory. The storage's one host works only during calls: each call for a status
 * or for the fixes advances every queued fix by a quarter.
 */
final class FakeStorage implements StorageApi {
  private static final Instant NOON = Instant.parse("2026-03-01T12:00:00Z");
  private static final long GIB = 1L << 30;
  private static final int STEPS = 4;
  private static final long DATA = 1 << 20;
  private static final long TAIL = 4096;

  /** Unfinished uploads, by image. */
  private final Map<String, UploadInfo> uploads = new TreeMap<>();

  private final Map<String, ByteBuffer> contents = new TreeMap<>();

  /** The content that was uploaded into an image. */
  private ByteBuffer content(String imageId, long size) {
    ByteBuffer known = contents.get(imageId);
    if (known == null || known.capacity() != size) {
      known = ByteBuffer.allocate((int) size);
      contents.put(imageId, known);
    }
    return known;
  }

  byte[] uploaded(String imageId) {
    return Objects.requireNonNull(contents.get(imageId)).array();
  }

  /** Whether an upload into the image has begun and not ended. */
  boolean takesUpload(String imageId) {
    return uploads.containsKey(imageId);
  }

  /** The offset at which the next upload breaks off. */
  long cutOffAt = Long.MAX_VALUE;

  private static final class Image {
    final String id;
    final ImageKind kind;
    long size;
    ObjectNode userData;
    @Nullable String parent;
    ImageState state = ImageState.BROKEN;
    boolean hidden;
    @Nullable Instant retainedUntil;

    Image(String id, ImageKind kind, long size, @Nullable String parent, ObjectNode userData) {
      this.id = id;
      this.kind = kind;
      this.size = size;
      this.parent = parent;
      this.userData = userData;
    }
  }

  private record OpenOf(String imageId, ImageInfo.Open open) {}

  private static final class Work {
    final String id;
    final String repo;
    final FixType type;
    final Image image;
    String state;
    int step;
    @Nullable String lastError;

    Work(String id, String repo, FixType type, Image image, boolean queued) {
      this.id = id;
      this.repo = repo;
      this.type = type;
      this.image = image;
      this.state = queued ? "queued" : "waiting";
    }

    Progress progress() {
      return new Progress(
          "host-1",
          step < 2 ? "1/2" : "2/2",
          step < 2 ? "copy" : "publish",
          step * 100 / STEPS,
          step * GIB / STEPS,
          GIB,
          lastError,
          NOON.plusSeconds(step));
    }
  }

  private final Map<String, ConnectRequest> repositories = new TreeMap<>();
  private final Map<String, Map<String, Image>> images = new TreeMap<>();
  private final List<Work> works = new ArrayList<>();
  private final List<OpenOf> opens = new ArrayList<>();

  /** Problems that no fix can solve, in any repository. */
  final List<Problem> problems = new ArrayList<>();

  private final Map<String, Integer> counters = new TreeMap<>();
  private long commit;
  private @Nullable Instant drainedSince;

  /** Makes every fix fail from now on. */
  boolean poisoned;

  /** Stops every fix from now on. */
  boolean stalled;

  /** The best state that fixes reach. */
  ImageState best = ImageState.OPTIMIZED;

  /** Throws this instead of an answer, that many times. */
  @Nullable StorageException trouble;

  int troubles;

  @Override
  public RepositoryInfo connectStorageRepository(ConnectRequest request) {
    if (!request.repoFormat().equals("localfs-1.0")) {
      throw StorageException.invalid(
          "repoFormat", "no such format: " + request.repoFormat(), "Use localfs-1.0.");
    }
    repositories.put(request.repoId(), request);
    images.computeIfAbsent(request.repoId(), each -> new TreeMap<>());
    return getStorageRepository(request.repoId());
  }

  @Override
  public RepositoryInfo createStorageRepository(ConnectRequest request) {
    return connectStorageRepository(request);
  }

  @Override
  public void disconnectStorageRepository(String repoId) {
    images(repoId);
    repositories.remove(repoId);
  }

  @Override
  public Committed upgradeStorageRepository(String repoId, @Nullable String requestId) {
    images(repoId);
    return new Committed(++commit);
  }

  @Override
  public List<RepositoryInfo> listStorageRepositories() {
    return repositories.keySet().stream().map(this::getStorageRepository).toList();
  }

  @Override
  public RepositoryInfo getStorageRepository(String repoId) {
    Map<String, Integer> counts = new TreeMap<>();
    images(repoId)
        .values()
        .forEach(
            each -> counts.merge(each.hidden ? "hidden" : each.state.label(), 1, Integer::sum));
    ConnectRequest request = Objects.requireNonNull(repositories.get(repoId));
    return new RepositoryInfo(
        repoId,
        request.repoFormat(),
        request.connectionParameters(),
        252 * GIB,
        80 * GIB,
        images(repoId).values().stream().mapToLong(each -> each.size / 2).sum(),
        64L << 40,
        "readOnly",
        "thisHost",
        "host-1",
        counts,
        (int) works.stream().filter(work -> work.repo.equals(repoId)).count(),
        "ok",
        null,
        commit,
        "persistent",
        List.of("callDigests"),
        List.of());
  }

  @Override
  public CreatedImage createVirtualDisk(
      String repoId, CreateVirtualDiskRequest request, @Nullable String requestId) {
    if (request.size() % 512 != 0) {
      throw StorageException.invalid(
          "size", request.size() + " bytes are not whole sectors", "Give a multiple of 512.");
    }
    return create(
        repoId,
        new Image(
            name("disk"),
            ImageKind.VIRTUAL_DISK,
            request.size(),
            request.baseSnapshotId(),
            request.userData()),
        request.options().autoFix());
  }

  @Override
  public CreatedImage createSnapshot(
      String repoId, CreateSnapshotRequest request, @Nullable String requestId) {
    Image disk = image(repoId, request.baseVirtualDiskId());
    Image snapshot =
        new Image(name("snapshot"), ImageKind.SNAPSHOT, disk.size, disk.parent, request.userData());
    snapshot.state = disk.state;
    images(repoId).put(snapshot.id, snapshot);
    disk.parent = snapshot.id;
    disk.state = ImageState.BROKEN;
    works.add(new Work(name("fix"), repoId, FixType.MEND, disk, request.options().autoFix()));
    return new CreatedImage(snapshot.id, ++commit);
  }

  @Override
  public CreatedImage copyImage(
      String repoId, CopyImageRequest request, @Nullable String requestId) {
    Image source =
        images.values().stream()
            .flatMap(each -> each.values().stream())
            .filter(each -> each.id.equals(request.imageId()))
            .findFirst()
            .orElseThrow(() -> notFound(request.imageId()));
    String id = source.kind == ImageKind.SNAPSHOT ? source.id : name("disk");
    return create(
        repoId,
        new Image(id, source.kind, source.size, request.baseImageId(), request.userData()),
        request.options().autoFix());
  }

  private CreatedImage create(String repoId, Image image, boolean autoFix) {
    images(repoId).put(image.id, image);
    works.add(new Work(name("fix"), repoId, FixType.MEND, image, autoFix));
    return new CreatedImage(image.id, ++commit);
  }

  @Override
  public Committed removeImage(
      String repoId, String imageId, RemoveImageOptions options, @Nullable String requestId) {
    Image image = image(repoId, imageId);
    boolean written =
        opens.stream().anyMatch(each -> each.imageId.equals(imageId) && !each.open.readOnly());
    if (written && !options.force()) {
      throw new StorageException(
          ErrorCode.IMAGE_IN_USE, "a VM writes to the image", imageId, "Close it, or use --force.");
    }
    image.hidden = true;
    image.retainedUntil = NOON.plus(options.retain());
    works.removeIf(work -> work.image == image);
    works.add(new Work(name("fix"), repoId, FixType.CLEAN, image, options.autoFix()));
    return new Committed(++commit);
  }

  @Override
  public Committed restoreImage(String repoId, String imageId, @Nullable String requestId) {
    Image image = images(repoId).get(imageId);
    if (image == null) {
      throw notFound(imageId);
    }
    image.hidden = false;
    image.retainedUntil = null;
    works.removeIf(work -> work.image == image);
    return new Committed(++commit);
  }

  @Override
  public ImagePage listImages(String repoId, ImageQuery query) {
    List<ImageInfo> found =
        images(repoId).values().stream()
            .filter(each ->
                query.visibility() == Visibility.ALL
                    || each.hidden == (query.visibility() == Visibility.REMOVED))
            .filter(each -> query.kind() == null || query.kind() == each.kind)
            .filter(each -> query.state() == null || query.state() == each.state)
            .filter(each -> query.after() == null || each.id.compareTo(query.after()) > 0)
            .map(each -> info(repoId, each))
            .toList();
    // Pages of two, so that callers have to read several.
    return found.size() <= 2
        ? new ImagePage(found, null, commit)
        : new ImagePage(found.subList(0, 2), found.get(1).imageId(), commit);
  }

  @Override
  public ImageInfo getImage(String repoId, String imageId, long atLeast) {
    Image image = image(repoId, imageId);
    return info(repoId, image);
  }

  private ImageInfo info(String repoId, Image image) {
    return new ImageInfo(
        image.id,
        image.kind,
        !image.hidden,
        image.state,
        reason(image),
        image.size,
        image.size / 2,
        image.size / 4,
        image.parent == null ? VolumeFormat.RAW : VolumeFormat.QCOW2,
        image.parent,
        images(repoId).values().stream()
            .filter(each -> image.id.equals(each.parent))
            .map(each -> each.id)
            .toList(),
        image.userData,
        NOON,
        image.retainedUntil,
        opens.stream().filter(open -> open.imageId.equals(image.id)).map(OpenOf::open).toList(),
        commit);
  }

  private static @Nullable String reason(Image image) {
    return image.state == ImageState.BROKEN ? "its data is not complete" : null;
  }

  @Override
  public ImageStatus getImageStatus(String repoId, String imageId, StatusQuery query) {
    if (trouble != null && troubles-- > 0) {
      throw trouble;
    }
    Image image = image(repoId, imageId);
    if (query.until() != null) {
      work();
    }
    Optional<Work> work = works.stream().filter(each -> each.image == image).findFirst();
    return new ImageStatus(
        image.state,
        reason(image),
        commit,
        work.filter(each -> !each.state.equals("waiting")).map(Work::progress).orElse(null));
  }

  private String name(String kind) {
    return kind + "-" + counters.merge(kind, 1, Integer::sum);
  }

  private void work() {
    if (stalled) {
      return;
    }
    for (Work work : List.copyOf(works)) {
      if (work.state.equals("queued") || work.state.equals("running")) {
        work.state = "running";
        if (poisoned) {
          work.state = "parked";
          work.lastError = "the backing file is not a qcow2 image";
        } else if (++work.step == STEPS) {
          work.image.state = best;
          works.remove(work);
          if (work.type == FixType.CLEAN) {
            images(work.repo).remove(work.image.id);
          }
        }
      }
    }
  }

  @Override
  public ImageExplanation explainImage(String repoId, String imageId, long atLeast) {
    Image image = image(repoId, imageId);
    Work work = works.stream().filter(each -> each.image == image).findFirst().orElse(null);
    return new ImageExplanation(
        imageId,
        image.kind,
        true,
        image.state,
        work == null
            ? List.of("It is optimized: nothing is missing.")
            : List.of("It is broken: its data is not complete.", "No host works on it."),
        reason(image),
        null,
        work == null
            ? null
            : new ExplainedFix(
                work.id, work.type, work.state, null, Obstacle.PARKED, null, work.lastError, null),
        uploads.containsKey(imageId)
            ? List.of(
                new Need(
                    "open",
                    Objects.requireNonNull(uploads.get(imageId)).uploadId(),
                    null,
                    "host-1",
                    "upload",
                    null))
            : List.of(),
        0,
        commit);
  }

  @Override
  public Committed setUserData(
      String repoId, String imageId, ObjectNode userData, @Nullable String requestId) {
    image(repoId, imageId).userData = userData;
    return new Committed(++commit);
  }

  @Override
  public Committed resizeImage(
      String repoId, String imageId, long size, @Nullable String requestId) {
    Image image = image(repoId, imageId);
    if (size < image.size) {
      throw StorageException.invalid("size", "disks only grow", "Give at least " + image.size);
    }
    image.size = size;
    return new Committed(++commit);
  }

  @Override
  public OpenedImage openImage(
      String repoId, String imageId, OpenRequest request, @Nullable String requestId) {
    Image image = image(repoId, imageId);
    if (image.state == ImageState.BROKEN) {
      throw new StorageException(
          ErrorCode.IMAGE_BROKEN,
          "the image cannot be used: its data is not complete",
          imageId,
          "Wait for it with quarry image status.");
    }
    ImageInfo.Open open =
        new ImageInfo.Open(name("open"), "host-1", request.owner(), request.readOnly(), NOON);
    opens.add(new OpenOf(imageId, open));
    ObjectNode blockdev = JsonNodeFactory.instance.objectNode();
    blockdev.put("driver", "raw").put("node-name", imageId);
    return new OpenedImage(
        open.openId(),
        imageId,
        "host-1",
        request.readOnly(),
        "/srv/" + repoId + "/volumes/" + imageId + ".raw",
        VolumeFormat.RAW,
        image.size,
        List.of(),
        blockdev,
        "<disk type=\"file\">\n  <source file=\"x\"/>\n</disk>",
        ++commit);
  }

  @Override
  public Committed closeImage(
      String repoId, String imageId, String openId, @Nullable String requestId) {
    UploadInfo upload = uploads.get(imageId);
    if (upload != null && upload.uploadId().equals(openId)) {
      uploads.remove(imageId);
      return new Committed(++commit);
    }
    if (!opens.removeIf(each -> each.open.openId().equals(openId))) {
      throw new StorageException(
          ErrorCode.OPEN_NOT_FOUND,
          "this image has no such open",
          openId,
          "Nothing is left to do.");
    }
    return new Committed(++commit);
  }

  @Override
  public OpenPage listOpens(String repoId, OpenQuery query) {
    List<OpenInfo> page =
        opens.stream()
            .map(FakeStorage::info)
            .filter(open -> query.hostId() == null || open.hostId().equals(query.hostId()))
            .toList();
    return new OpenPage(page, null, commit);
  }

  @Override
  public OpenInfo getOpen(String repoId, String openId, long atLeast) {
    return opens.stream()
        .map(FakeStorage::info)
        .filter(open -> open.openId().equals(openId))
        .findAny()
        .orElseThrow(() -> noOpen(openId));
  }

  private static OpenInfo info(OpenOf of) {
    ImageInfo.Open open = of.open();
    boolean rebooted = "vm-old".equals(open.owner());
    return new OpenInfo(
        open.openId(),
        of.imageId(),
        OpenInfo.Use.MACHINE,
        rebooted ? OpenInfo.State.OLDER_THAN_BOOT : OpenInfo.State.IN_USE,
        open.hostId(),
        open.owner(),
        open.readOnly(),
        open.since(),
        rebooted ? null : "6a1f8c52-1d8e-4c55-9b7e-3f0c2d9a4e71",
        null);
  }

  /** Refuses to end the opens of {@code vm-writing}, whose process is seen to write. */
  @Override
  public Committed closeOpen(
      String repoId, String openId, boolean force, @Nullable String requestId) {
    OpenInfo open = getOpen(repoId, openId, 0);
    if ("vm-writing".equals(open.owner()) && !force) {
      throw new StorageException(
          ErrorCode.STILL_WRITING,
          "image " + open.imageId() + " is still in use: qemu writes to its file",
          openId,
          "End that process.");
    }
    return closeImage(repoId, open.imageId(), openId, requestId);
  }

  @Override
  public ClosedOpens closeOpens(
      String repoId, CloseOpensRequest request, @Nullable String requestId) {
    List<OpenInfo> all = listOpens(repoId, request.hostId(), 0);
    List<String> dead =
        all.stream()
            .filter(open -> open.state() != OpenInfo.State.IN_USE)
            .map(OpenInfo::openId)
            .toList();
    opens.removeIf(open -> dead.contains(open.open.openId()));
    return new ClosedOpens(dead, false, all.size() - dead.size(), ++commit);
  }

  private static StorageException noOpen(String openId) {
    return new StorageException(
        ErrorCode.OPEN_NOT_FOUND, "there is no such open", openId, "List the opens.");
  }

  /** The first MiB and the last 4 KiB of every image are sevens; the rest is zeros. */
  @Override
  public ImageExtents listImageExtents(String repoId, String imageId, ExtentQuery query) {
    Image image = image(repoId, imageId);
    List<DataExtent> data =
        List.of(new DataExtent(0, DATA), new DataExtent(image.size - TAIL, TAIL));
    return new ImageExtents(etag(image), image.size, 0, image.size, data);
  }

  @Override
  public ImageData downloadImage(String repoId, String imageId, DownloadRequest request) {
    Image image = image(repoId, imageId);
    ByteRange range = Objects.requireNonNull(request.range());
    byte[] sevens = new byte[(int) range.lengthIn(image.size)];
    Arrays.fill(sevens, (byte) 7);
    return new ImageData(
        etag(image),
        image.size,
        range.offsetIn(image.size),
        sevens.length,
        true,
        null,
        new ByteArrayInputStream(sevens));
  }

  /** The latest upload that was begun. */
  @Nullable BeginUploadRequest begun;

  @Override
  public UploadInfo beginUpload(
      String repoId, String imageId, BeginUploadRequest request, @Nullable String requestId) {
    begun = request;
    Image image = image(repoId, imageId);
    if (uploads.containsKey(imageId)) {
      throw new StorageException(
          ErrorCode.IMAGE_IN_USE, "the image is open by upload", imageId, "Close it.");
    }
    String id = name("upload");
    Long size = request.size();
    var conversion =
        request.format() == VolumeFormat.QCOW2 ? new UploadInfo.Conversion(image.size, 0) : null;
    uploads.put(
        imageId,
        new UploadInfo(id, size == null ? image.size : size, 0, 0, false, conversion, ++commit));
    return Objects.requireNonNull(uploads.get(imageId));
  }

  @Override
  public UploadInfo getUpload(String repoId, String imageId, String uploadId) {
    return Objects.requireNonNull(uploads.get(imageId));
  }

  @Override
  public synchronized UploadInfo uploadImage(
      String repoId, String imageId, String uploadId, UploadRange range, InputStream content) {
    UploadInfo before = getUpload(repoId, imageId, uploadId);
    if (range.offset() > before.offset()) {
      throw new StorageException(
          ErrorCode.RANGE_NOT_SATISFIABLE,
          "bytes are missing",
          imageId,
          "Go on from " + before.offset());
    }
    if (range.offset() >= cutOffAt) {
      cutOffAt = Long.MAX_VALUE;
      throw new StorageException(
          ErrorCode.AGENT_UNAVAILABLE, "no agent answers", imageId, "Try again.");
    }
    try {
      byte[] bytes = range.zeros() ? new byte[0] : content.readAllBytes();
      content(imageId, range.size()).position((int) range.offset()).put(bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    var conversion = before.conversion();
    var info = new UploadInfo(uploadId, range.size(), range.end(), 0, false, conversion, commit);
    uploads.put(imageId, info);
    return info;
  }

  @Override
  public UploadInfo finishUpload(
      String repoId,
      String imageId,
      String uploadId,
      FinishUploadRequest request,
      @Nullable String requestId) {
    UploadInfo info = getUpload(repoId, imageId, uploadId);
    UploadInfo.Conversion conversion = info.conversion();
    boolean done = info.verified() > 0 && (conversion == null || conversion.offset() > 0);
    if (conversion != null && info.verified() > 0) {
      conversion = new UploadInfo.Conversion(conversion.size(), conversion.size() / 2);
    }
    info =
        new UploadInfo(uploadId, info.size(), info.offset(), info.size(), done, conversion, commit);
    uploads.put(imageId, info);
    if (done) {
      uploads.remove(imageId);
    }
    return info;
  }

  private static String etag(Image image) {
    return "\"" + image.id + "\"";
  }

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

  /** Reads one GiB a call, and reports the same problems each time. */
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
    return new Committed(++commit);
  }

  @Override
  public Committed resumeFix(String repoId, String fixId, @Nullable String requestId) {
    work(repoId, fixId).state = "queued";
    return new Committed(++commit);
  }

  /** Requests whose id has this prefix were committed before. */
  static final String COMMITTED = "committed";

  @Override
  public RequestOutcome cancelRequest(String repoId, String requestId) {
    images(repoId);
    return requestId.startsWith(COMMITTED)
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
  public HostPage listHosts(PageQuery query) {
    List<HostRepository> here =
        repositories.values().stream()
            .map(each -> new HostRepository(each.repoId(), each.repoFormat(), true, true))
            .toList();
    return query.of(
        List.of(
            new HostInfo(
                "host-1",
                "1",
                "http://127.0.0.1:7071",
                NOON,
                "0.1.0",
                here,
                works.size(),
                2,
                drainedSince,
                null),
            new HostInfo(
                "host-2",
                "1",
                "http://127.0.0.1:7072",
                NOON,
                "0.1.0",
                List.of(new HostRepository("far", "localfs-1.0", false, false)),
                0,
                2,
                null,
                null)),
        HostInfo::hostId,
        HostPage::new);
  }

  @Override
  public void drainHost(String hostId, boolean drained) {
    if (!hostId.equals("host-1")) {
      throw new StorageException(
          ErrorCode.HOST_NOT_FOUND, "no such host is live", hostId, "See quarry host list.");
    }
    drainedSince = drained ? NOON : null;
  }

  @Override
  public void fenceHost(String hostId) {
    if (hostId.equals("host-10")) {
      throw new StorageException(
          ErrorCode.HOST_NOT_FOUND, "no host host-10 is known", hostId, "Compare the name.");
    }
    if (!hostId.equals("host-9")) {
      throw new StorageException(
          ErrorCode.INVALID_ARGUMENT, "the host is alive", hostId, "Stop it first.");
    }
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
  public void setThrottle(long bytesPerSecond) {
    if (bytesPerSecond == 13) {
      throw new IllegalStateException("unlucky");
    }
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

  private Map<String, Image> images(String repoId) {
    if (!repositories.containsKey(repoId)) {
      throw new StorageException(
          ErrorCode.REPOSITORY_NOT_CONNECTED,
          "no repository of this name is connected here",
          repoId,
          "Connect it with quarry repo connect, or ask another agent.");
    }
    return Objects.requireNonNull(images.get(repoId));
  }

  private Image image(String repoId, String imageId) {
    Image image = images(repoId).get(imageId);
    if (image == null || image.hidden) {
      throw notFound(imageId);
    }
    return image;
  }

  private static StorageException notFound(String imageId) {
    return new StorageException(
        ErrorCode.IMAGE_NOT_FOUND,
        "the repository has no such image",
        imageId,
        "See quarry image list.");
  }
}
