package io.quarry.agent.call;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quarry.common.api.CloseOpensRequest;
import io.quarry.common.api.ClosedOpens;
import io.quarry.common.api.Committed;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.ImageInfo;
import io.quarry.common.api.OpenInfo;
import io.quarry.common.api.OpenPage;
import io.quarry.common.api.OpenQuery;
import io.quarry.common.api.OpenRequest;
import io.quarry.common.api.OpenedImage;
import io.quarry.common.api.StorageException;
import io.quarry.common.api.UploadInfo;
import io.quarry.common.model.ImageState;
import io.quarry.common.model.VolumeFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Who has images open. */
abstract class FakeOpens extends FakeImages {
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
      return committed();
    }
    if (!opens.removeIf(each -> each.open().openId().equals(openId))) {
      throw new StorageException(
          ErrorCode.OPEN_NOT_FOUND,
          "this image has no such open",
          openId,
          "Nothing is left to do.");
    }
    return committed();
  }

  @Override
  public OpenPage listOpens(String repoId, OpenQuery query) {
    List<OpenInfo> page =
        opens.stream()
            .map(FakeOpens::info)
            .filter(open -> query.hostId() == null || open.hostId().equals(query.hostId()))
            .toList();
    return new OpenPage(page, null, commit);
  }

  @Override
  public OpenInfo getOpen(String repoId, String openId, long atLeast) {
    return opens.stream()
        .map(FakeOpens::info)
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

  /** A process is seen that writes to what {@code vm-writing} has open. */
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
    opens.removeIf(open -> dead.contains(open.open().openId()));
    return new ClosedOpens(dead, false, all.size() - dead.size(), ++commit);
  }

  static StorageException noOpen(String openId) {
    return new StorageException(
        ErrorCode.OPEN_NOT_FOUND, "there is no such open", openId, "List the opens.");
  }
}
