package io.quarry.coordinator.plan;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.pcollections.PMap;
import org.pcollections.TreePMap;

/**
 * The features of a log, and the data of its optional ones. Immutable.
 *
 * @param features by name
 * @param extensions by subject, then by feature
 */
public record Schema(
    PMap<String, Feature> features, PMap<String, PMap<String, Extension>> extensions) {
  /** The schema of logs that are older than features. */
  public static final Schema FIRST = new Schema(TreePMap.empty(), TreePMap.empty());

  public boolean has(Feature feature) {
    return features.containsKey(feature.name());
  }

  Layout layout() {
    return has(Feature.THIN_VOLUMES) ? Layout.THIN : Layout.SPARSE_FILES;
  }

  public @Nullable Extension extension(String subjectId, Feature feature) {
    PMap<String, Extension> ofSubject = extensions.get(subjectId);
    return ofSubject == null ? null : ofSubject.get(feature.name());
  }

  /** The given features that the log lacks. */
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

  /** The schema without extensions of a dropped subject. */
  Schema without(String subjectId) {
    return extensions.containsKey(subjectId)
        ? new Schema(features, extensions.minus(subjectId))
        : this;
  }

  /** Features come first: a reader learns of a feature before it meets the feature's data. */
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
