package io.quarry.agent.fix;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The parts of a volume file's name, {@code <volumeId>.<epoch>.<format>}. A received file that is
 * to be converted has the format {@code upload}.
 */
public record VolumeName(String volumeId, long epoch) {
  private static final Pattern NAME =
      Pattern.compile("([0-9A-Za-z-]{1,128})\\.(\\d{1,18})\\.(raw|qcow2|upload)");

  /** Null when the name is not a volume file's. */
  public static @Nullable VolumeName parse(String file) {
    Matcher matcher = NAME.matcher(file);
    return matcher.matches()
        ? new VolumeName(matcher.group(1), Long.parseLong(matcher.group(2)))
        : null;
  }

  static long epochOf(String file) {
    VolumeName name = parse(file);
    return name == null ? 0 : name.epoch();
  }
}
