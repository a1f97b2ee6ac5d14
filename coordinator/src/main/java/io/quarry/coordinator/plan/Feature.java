package io.quarry.coordinator.plan;

import java.util.List;

/**
 * A way in which a log holds more than the first logs did. A log names its features, so that an
 * agent knows before it reads on whether it understands the log.
 *
 * @param name stable; never used for anything else
 * @param required an agent that does not know the feature must not read the log; otherwise it keeps
 *     the feature's {@link Extension extensions} as they are
 */
public record Feature(String name, boolean required) {
  /** Replies hold a digest of the call that they answer. */
  public static final Feature CALL_DIGESTS = new Feature("callDigests", true);

  /** Volumes hold what their frozen files looked like. */
  public static final Feature WITNESSES = new Feature("witnesses", true);

  /** Opens hold in which boot of which host an image was opened. */
  public static final Feature BOOT_IDS = new Feature("bootIds", true);

  /** All that this program knows: what a new repository begins with. */
  public static final List<Feature> KNOWN = List.of(CALL_DIGESTS, WITNESSES, BOOT_IDS);

  /** Whether this program may go on with a log that has the feature. */
  public boolean understood() {
    return !required || KNOWN.contains(this);
  }

  /** The names of features, for messages and registrations. */
  public static List<String> names(List<Feature> features) {
    return features.stream().map(Feature::name).sorted().toList();
  }
}
