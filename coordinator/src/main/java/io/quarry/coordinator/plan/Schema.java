package io.quarry.coordinator.plan;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.pcollections.PMap;
import org.pcollections.TreePMap;

/**
 * Which features a log has, and what its optional ones say. Immutable.
 *
 * @param features by name
 * @param extensions by subject, then by feature
 */
public record Schema(
    PMap<String, Feature> features, PMap<String, PMap<String, Extension>> extensions) {
  /** Of logs that were begun before there were features. */
  public static final Schema FIRST = new Schema(TreePMap.empty(), TreePMap.empty());

  public boolean has(Feature feature) {
    return features.containsKey(feature.name());
  }

  public @Nullable Extension extension(String subjectId, Feature feature) {
    PMap<String, Extension> ofSubject = extensions.get(subjectId);
    return ofSubject == null ? null : ofSubject.get(feature.name());
  }

  /** Those of the given features that the log has yet to get. */
  public List<Feature> lacking(List<Feature> wanted) {
    return wanted.stream().filter(feature -> !has(feature)).toList();
  }

  Schema plus(Feature feature) {
    return new Schema(features.plus(feature.name(), feature), extensions);
  }

  Schema plus(Extension extension) {
    PMap<String, Extension> before = extensions.get(extension.subjectId());
    PMap<String, Extension> after =
        (before == null ? TreePMap.<String, Extension>empty() : before)
            .plus(extension.feature(), extension);
    return new Schema(features, extensions.plus(extension.subjectId(), after));
  }

  /** Without what is said of a subject that is gone. */
  Schema without(String subjectId) {
    return extensions.containsKey(subjectId)
        ? new Schema(features, extensions.minus(subjectId))
        : this;
  }

  /** Features come first: a reader learns of them before it meets what they bring. */
  List<Change> featureChanges() {
    return features.values().stream().<Change>map(Change.PutFeature::new).toList();
  }

  List<Change> extensionChanges() {
    List<Change> all = new ArrayList<>();
    extensions
        .values()
        .forEach(ofSubject ->
            ofSubject.values().forEach(each -> all.add(new Change.PutExtension(each))));
    return all;
  }
}
