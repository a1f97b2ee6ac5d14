package io.quarry.coordinator.plan;

import io.quarry.common.model.VolumeFormat;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The name of one epoch's file of a volume: {@code <volumeId>.<epoch>.<kind>}.
 *
 * @param epoch of the worker that writes the file
 */
public record VolumeName(String volumeId, long epoch, Kind kind) {
  private static final Pattern TEXT =
      Pattern.compile("([0-9A-Za-z-]{1,128})\\.(\\d{1,18})\\.(raw|qcow2|upload)");

  /** What the file holds. */
  public enum Kind {
    RAW("raw"),
    QCOW2("qcow2"),
    /** Received bytes that have yet to be converted; no tool opens them as a disk. */
    UPLOAD("upload");

    private final String label;

    Kind(String label) {
      this.label = label;
    }
  }

  public static VolumeName of(String volumeId, long epoch, VolumeFormat format) {
    return new VolumeName(
        volumeId,
        epoch,
        switch (format) {
          case RAW -> Kind.RAW;
          case QCOW2 -> Kind.QCOW2;
        });
  }

  public static VolumeName upload(String volumeId, long epoch) {
    return new VolumeName(volumeId, epoch, Kind.UPLOAD);
  }

  /** Null when the name is not that of a volume's file. */
  public static @Nullable VolumeName parse(String text) {
    Matcher matcher = TEXT.matcher(text);
    return matcher.matches()
        ? new VolumeName(
            matcher.group(1),
            Long.parseLong(matcher.group(2)),
            switch (matcher.group(3)) {
              case "raw" -> Kind.RAW;
              case "qcow2" -> Kind.QCOW2;
              default -> Kind.UPLOAD;
            })
        : null;
  }

  public String text() {
    return volumeId + "." + epoch + "." + kind.label;
  }
}
