package io.quarry.agent.data.qemu;

import com.fasterxml.jackson.databind.JsonNode;
import io.quarry.agent.data.os.NativeFile;
import io.quarry.common.model.VolumeFormat;
import java.io.IOException;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What {@code qemu-img info} says about one image file. All sizes are in bytes.
 *
 * @param allocatedBytes what the file occupies on its filesystem
 * @param backingFile as written in the file, relative or absolute
 * @param dataFile an external file that holds the data; no image of a repository has one
 * @param dirty the file was not closed cleanly
 */
public record ImageFile(
    String format,
    long virtualSize,
    long allocatedBytes,
    OptionalLong clusterSize,
    Optional<String> backingFile,
    Optional<String> backingFormat,
    Optional<String> dataFile,
    boolean dirty,
    boolean corrupt,
    boolean encrypted,
    int internalSnapshots) {

  /** The size of the disk in a file that an agent made; needs no tool. */
  public static long virtualSize(NativeFile file, VolumeFormat format) throws IOException {
    return format == VolumeFormat.RAW ? file.size() : Qcow2Header.read(file).virtualSize();
  }

  static ImageFile of(JsonNode info) {
    JsonNode specific = info.path("format-specific").path("data");
    JsonNode cluster = info.path("cluster-size");
    return new ImageFile(
        info.required("format").asText(),
        info.required("virtual-size").asLong(),
        info.path("actual-size").asLong(),
        cluster.isNumber() ? OptionalLong.of(cluster.asLong()) : OptionalLong.empty(),
        text(info.path("backing-filename")),
        text(info.path("backing-filename-format")),
        text(specific.path("data-file")),
        info.path("dirty-flag").asBoolean(),
        specific.path("corrupt").asBoolean(),
        info.path("encrypted").asBoolean(),
        info.path("snapshots").size());
  }

  private static Optional<String> text(JsonNode node) {
    return node.isTextual() ? Optional.of(node.asText()) : Optional.empty();
  }
}
